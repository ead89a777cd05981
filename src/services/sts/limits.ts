/** Which credentials may call which operation at all, before any policy is evaluated. */
import type { Caller } from '../../kernel/gate/caller.ts'
import type { Operation } from '../../kernel/service/service.ts'
import { Fault } from '../../wire/fault.ts'
import { parsedRoleArn } from './roles.ts'

type Credential = 'nobody' | 'root' | 'user' | 'role' | 'root-session' | 'user-session' | 'federated'

const withSession = (name: string) => `Cannot call ${name} with session credentials`
const never = 'Roles may not be assumed by root accounts.'
const denied = (name: string) => `Temporary credentials of this kind may not call ${name}`

/**
 * Operations without a row are open to all.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
 */
const refusals: Readonly<Record<string, Readonly<Partial<Record<Credential, string>>>>> = {
  AssumeRole: { root: never, 'root-session': never, federated: denied('AssumeRole') },
  GetSessionToken: everySession(withSession('GetSessionToken')),
  GetFederationToken: everySession(withSession('GetFederationToken')),
  GetAccessKeyInfo: ownSessions(denied('GetAccessKeyInfo')),
  DecodeAuthorizationMessage: ownSessions(denied('DecodeAuthorizationMessage')),
}

function everySession(text: string) {
  return { ...ownSessions(text), role: text }
}
/** Sessions that GetSessionToken and GetFederationToken open. */
function ownSessions(text: string) {
  return { 'root-session': text, 'user-session': text, federated: text }
}

/** The operation, closed to the credentials its row in the table names. */
export function limited(operation: Operation): Operation {
  const row = refusals[operation.name]
  if (!row) return operation
  return {
    ...operation,
    target: {
      find: (call, input) => {
        const text = row[credentialOf(call.caller)]
        // AWS reads the request before it looks at the kind of credential.
        if (text !== undefined && input.RoleArn !== undefined) parsedRoleArn(input.RoleArn)
        if (text !== undefined) throw new Fault('AccessDenied', text)
        return operation.target.find(call, input)
      },
    },
  }
}

function credentialOf({ subject, session }: Caller): Credential {
  if (subject.kind === 'federated-user') return 'federated'
  if (subject.kind === 'role') return 'role'
  if (subject.kind === 'nobody') return 'nobody'
  return session ? `${subject.kind}-session` : subject.kind
}
