/**
 * The social sign-in port: the providers whose buttons the sign-in page shows, and the roles that the operator's rules give
 * to a person of theirs. Provided by the server from the operator's settings; without them there is no provider and no rule.
 */
import type { ConnectorId, Person } from '../../engines/oidc/connectors.ts'
import type { PendingSignIn } from '../../engines/oidc/sign-in.ts'
import type { SignInAnswer } from '../federation/relying-party.ts'
import { port } from './port.ts'

export interface SocialProvider {
  readonly id: ConnectorId
  readonly label: string
}

export interface SocialSignInPort {
  readonly providers: readonly SocialProvider[]
  /** Where to send the browser for a pending sign-in. */
  addressOf(pending: PendingSignIn): string
  /** Throws an `OidcRefusal` for every answer that does not prove a person, and a `Fault` while too many are in progress. */
  finish(pending: PendingSignIn, answer: SignInAnswer, now: number): Promise<Person>
  /** ARNs of the roles that rules give to exactly this person; none by default. */
  rolesOf(provider: ConnectorId, person: Person): readonly string[]
}

export const socialSignIn = port<SocialSignInPort>('social-sign-in')
