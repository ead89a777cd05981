/**
 * The console sign-in port: opens the console with a role session, provided by the sign-in and used by portals that have opened
 * that session themselves.
 *
 * @example
 * return { redirect: await call.use(consoleSignIn).link(call, { accessKeyId, session, signInPerson, destination: '/console/' }) }
 */
import type { Call } from '../gate/call.ts'
import type { Session } from '../gate/session.ts'
import { port } from './port.ts'

export interface ConsoleSignIn {
  readonly accessKeyId: string
  readonly session: Session
  /** The console's session ends with this person's sign-ins. */
  readonly signInPerson: string
  /** A path of this server. */
  readonly destination: string
}

export interface ConsoleSignInPort {
  /** A path of the pages, valid for a quarter of an hour. */
  link(call: Pick<Call, 'vault' | 'now' | 'ports'>, signIn: ConsoleSignIn): Promise<string>
}

export const consoleSignIn = port<ConsoleSignInPort>('console-sign-in')
