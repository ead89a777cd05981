/** One server for all tests of a file, as it was at the start before each test. */
import type { Merlon } from './connect.ts'
import { type StartOptions, startMerlon } from './start.ts'

interface Hooks {
  readonly beforeAll: (work: () => Promise<void>, timeoutMs?: number) => void
  readonly beforeEach: (work: () => Promise<void>) => void
  readonly afterAll: (work: () => Promise<void>) => void
}

/** A stand-in for the server that is there once the tests run. */
export function useMerlonWith({ beforeAll, beforeEach, afterAll }: Hooks, options: StartOptions = {}): Merlon {
  let merlon: Merlon | undefined
  let isUsed = false
  beforeAll(async () => {
    merlon = await startMerlon(options)
  }, options.timeoutMs ?? START_MS_MAX)
  beforeEach(async () => {
    if (isUsed) await merlon?.reset()
    isUsed = true
  })
  afterAll(async () => {
    await merlon?.stop()
  })
  return new Proxy({} as Merlon, {
    get: (_, member) => {
      if (!merlon) throw new Error('The server is started before the tests: use it inside of a test or a hook.')
      return Reflect.get(merlon, member)
    },
  })
}

const START_MS_MAX = 20_000
