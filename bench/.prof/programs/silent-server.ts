/**
 * The server's own parts over a store on disk, with the recorder or, with the argument `silent`, with one that records
 * nothing: what recording costs. It exists for the benchmark alone; no product is built from it.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rateDefaults, Throttle } from '../../src/kernel/gate/throttle.ts'
import { systemClock } from '../../src/kernel/state/clock.ts'
import { openCloud } from '../../src/server/compose/cloud.ts'
import { listen } from '../../src/server/listen/listener.ts'
import { openStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { ephemeralUnsealed } from '../../src/vault/ephemeral.ts'

const [folder = '', dist = '', recorder = ''] = process.argv.slice(2)

const silent = (store: Store): Store =>
  new Proxy(store, {
    get: (target, name) => {
      if (name === 'run')
        return (body: Parameters<Store['run']>[0]) =>
          target.run((unit) => body(Object.assign(unit, { append: () => undefined })))
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })

/** One caller makes all requests. */
const plenty = { ...rateDefaults.account, perSecond: 1e6, burst: 1e6 }

const opened = await openStore({
  file: join(folder, 'merlon.db'),
  writerScript: new URL('writer-thread.js', pathToFileURL(`${dist}/`)),
})
const cloud = await openCloud({
  store: recorder === 'silent' ? silent(opened) : opened,
  unsealed: ephemeralUnsealed(),
  clock: systemClock,
  throttle: new Throttle({ ...rateDefaults, account: plenty, principal: plenty }),
})
const credentials = await cloud.addAccount({ id: '111122223333', name: 'bench' })
const { url } = await listen((request) => cloud.gate.handle(request), { host: '127.0.0.1', port: 0 })
console.log(JSON.stringify({ url, credentials }))
