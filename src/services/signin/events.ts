/**
 * Console sign-in events in CloudTrail's form.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
 */
import type { SignInPerson } from '../../kernel/ports/sign-in-identities.ts'
import type { WebCall } from '../../kernel/web/site.ts'
import { identityOf, type Principal } from './claims.ts'

type Identity = Readonly<Record<string, unknown>> & { readonly principalId: string; readonly userName?: string }
type Recorder = Pick<WebCall<unknown>, 'record' | 'webOrigin' | 'userAgent'>

/** AWS's text: a user name that does not exist may be a password that was typed into the wrong field. */
const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'
const PHONES = /Android|iPhone|iPad|Mobile/

export const personIdentity = ({ kind, id, arn, account, name }: SignInPerson): Identity =>
  kind === 'root'
    ? { type: 'Root', principalId: id, arn, accountId: account, accessKeyId: '' }
    : { type: 'IAMUser', principalId: id, arn, accountId: account, accessKeyId: '', userName: name }

/** A name that no user of the account has. It is not recorded. */
export const unknownIdentity = (account: string): Identity => ({
  type: 'IAMUser',
  principalId: '',
  accountId: account,
  accessKeyId: '',
  userName: HIDDEN,
})

export interface LoginFacts {
  readonly account: string
  readonly identity: Identity
  /** Where the sign-in leads: a path of this server. */
  readonly to: string
  readonly mfa?: { readonly serialNumber: string } | undefined
  readonly failure?: string
  readonly samlProviderArn?: string
  /** The person's identity at a social provider. */
  readonly identityProvider?: { readonly provider: string; readonly subject: string }
  readonly isBounded?: boolean
}

export function consoleLogin(
  call: Recorder,
  { account, identity, to, mfa, failure, isBounded, samlProviderArn, identityProvider }: LoginFacts,
): void {
  call.record({
    name: 'ConsoleLogin',
    account,
    userIdentity: identity,
    responseElements: { ConsoleLogin: failure === undefined ? 'Success' : 'Failure' },
    additionalEventData: {
      LoginTo: call.webOrigin + to,
      MobileVersion: PHONES.test(call.userAgent) ? 'Yes' : 'No',
      SamlProviderArn: samlProviderArn,
      ...(identityProvider && { merlonIdentityProvider: identityProvider }),
      MFAIdentifier: mfa?.serialNumber,
      MFAUsed: mfa ? 'Yes' : 'No',
    },
    eventType: 'AwsConsoleSignIn',
    ...(failure !== undefined && { error: { code: undefined, message: failure } }),
    ...(isBounded && { isBounded }),
  })
}

/** The password was right, and a second factor is required. */
export function checkMfa(call: Recorder, person: SignInPerson, type: 'Virtual MFA' | 'U2F MFA'): void {
  call.record({
    name: 'CheckMfa',
    account: person.account,
    userIdentity: personIdentity(person),
    responseElements: { CheckMfa: 'Success' },
    additionalEventData: { MfaType: type },
    eventType: 'AwsConsoleSignIn',
  })
}

/** `PasswordUpdated`, `PasswordRecoveryRequested` and the like. */
export function signInEvent(
  call: Recorder,
  name: string,
  { account, identity }: Pick<LoginFacts, 'account' | 'identity'>,
  additionalEventData?: Readonly<Record<string, unknown>>,
): void {
  call.record({
    name,
    account,
    userIdentity: identity,
    responseElements: { [name]: 'Success' },
    ...(additionalEventData && { additionalEventData }),
    eventType: 'AwsConsoleSignIn',
  })
}

/** Recorded for the account that the person acts in afterwards. */
export const principalEvent = (
  call: Recorder,
  name: string,
  principal: Principal,
  additionalEventData?: Readonly<Record<string, unknown>>,
): void => signInEvent(call, name, { account: principal.account, identity: identityOf(principal) }, additionalEventData)
