/** One store as another of several nodes has it: its own name, and it knows that it is not alone. */
import type { Store } from '../src/store/store.ts'

export const asNode = (store: Store, node: string): Store =>
  new Proxy(store, {
    get: (target, name) => {
      if (name === 'node') return node
      if (name === 'shared') return true
      // Records of this store belong to its own node: so does the key of their MACs.
      if (name === 'authenticate' && node !== target.node) return () => undefined
      if (name === 'close') return async () => undefined
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
