/**
 * The social sign-in port: the providers, social or of the operator's own choice, whose buttons the sign-in page shows, and the roles that the operator's rules give
 * to a person of theirs. Provided by the server from the operator's settings; without them there is no provider and no rule.
 */
import type { Person } from '../../engines/oidc/connectors.ts'
import type { PendingSignIn } from '../../engines/oidc/sign-in.ts'
import type { SignInAnswer } from '../federation/relying-party.ts'
import { port } from './port.ts'

export interface SocialProvider {
  /** `google`, or the operator's name of another OpenID Connect provider. */
  readonly id: string
  readonly label: string
}

export interface SocialSignInPort {
  readonly providers: readonly SocialProvider[]
  /** Where to send the browser for a pending sign-in. Throws an `OidcRefusal` while its provider cannot be discovered. */
  addressOf(pending: PendingSignIn, now: number): Promise<string>
  /** Throws an `OidcRefusal` for every answer that does not prove a person, and a `Fault` while too many are in progress. */
  finish(pending: PendingSignIn, answer: SignInAnswer, now: number): Promise<Person>
  /** ARNs of the roles that rules give to exactly this person; none by default. */
  rolesOf(provider: string, person: Person): readonly string[]
}

export const socialSignIn = port<SocialSignInPort>('social-sign-in')
