/**
 * The user pool counts port: what user pools did on this node since its start, for `/metrics`. Provided by Cognito user pools.
 *
 * @example
 * call.use(userPoolCounts).count('messages', { kind: 'sign-up', medium: 'EMAIL' })
 */
import { port } from './port.ts'

export type UserPoolCount = 'sign_ins' | 'tokens' | 'messages' | 'trigger_calls'

export interface UserPoolCountsPort {
  /** Labels are names of the code, never a caller's text: they are kept until the process ends. Not in a body that may be retried. */
  count(what: UserPoolCount, labels: Readonly<Record<string, string>>): void
}

export const userPoolCounts = port<UserPoolCountsPort>('user-pool-counts')
