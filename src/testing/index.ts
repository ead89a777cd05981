/** The package's main module: a Merlon server for tests. */
export type { Seed, SeedAccount } from '../server/seed/seed-format.ts'
export type { ClientSettings, Credentials, Merlon, MerlonClock, TestSeed } from './connect.ts'
export { type DecisionPattern, type MerlonEvent, type RecordedDecision, recordedDecisions } from './events.ts'
export { type MerlonMatchers, matchers } from './matchers.ts'
export { type StartOptions, startMerlon } from './start.ts'
