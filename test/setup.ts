/** The set-up of the fast tests: what costs on purpose costs little here. The suites with a built server have the real cost. */
import { PASSWORD_COST } from '../src/kernel/passwords.ts'

const REAL = 15
const CHEAP = 10

// Files of one process share the module.
if (![REAL, CHEAP].includes(PASSWORD_COST.logN)) throw new Error('The cost of passwords has changed: say it here, too.')
PASSWORD_COST.logN = CHEAP
