import { expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'
import { services } from '../../server/compose/services.ts'
import { port, provide } from '../ports/port.ts'
import type { ServiceLife } from './open-services.ts'
import type { Service } from './service.ts'

interface Greeting {
  greet(name: string): string
}
const greeting = port<Greeting>('greeting')

const service = (id: string, life: ServiceLife): Service => ({ api: { id }, operations: [], ...life })
const greeter = service('greeter', {
  open: () => ({ provides: [provide(greeting, { greet: (name) => `Hello, ${name}` })] }),
})

test('services open before any of them starts, and close in the reverse order', async () => {
  const events: string[] = []
  const noting = (id: string) =>
    service(id, {
      needs: [greeting],
      open: ({ use }) => {
        events.push(`open ${id}`)
        return {
          start: () => void events.push(use(greeting).greet(id)),
          flush: async () => void events.push(`flush ${id}`),
          close: async () => void events.push(`close ${id}`),
        }
      },
    })
  const it = await cloud({ services: [noting('a'), noting('b'), greeter] })

  it.start()
  await it.flush()
  await it.close()

  expect(events).toEqual([
    ...['open a', 'open b', 'Hello, a', 'Hello, b', 'flush a', 'flush b'],
    ...['close b', 'close a'],
  ])
})

test('the server does not start when a port that a service needs has no provider, or two', async () => {
  const needy = service('needy', { needs: [greeting] })

  await expect(cloud({ services: [needy] })).rejects.toThrow('needy needs ports without a provider: greeting.')
  await expect(cloud({ services: [greeter, { ...greeter, api: { id: 'other' } }] })).rejects.toThrow('two providers')
})

test('services that are not served provide their ports, too', async () => {
  const it = await cloud({ services: [] })

  expect(await it.accounts()).toMatchObject([{ id: '111122223333' }])
  expect(services.filter(({ open }) => open).length).toBeGreaterThan(3)
})
