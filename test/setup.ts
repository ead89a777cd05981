/** The set-up of the fast tests: what costs on purpose costs little here. The suites with a built server have the real cost. */
import { afterAll, vi } from 'vitest'
import { PASSWORD_COST } from '../src/kernel/passwords.ts'

const REAL = 15
const CHEAP = 10

// Files of one process share the module.
if (![REAL, CHEAP].includes(PASSWORD_COST.logN)) throw new Error('The cost of passwords has changed: say it here, too.')
PASSWORD_COST.logN = CHEAP

// So does what a file replaces in its process.
afterAll(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})
