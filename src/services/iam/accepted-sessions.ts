/**
 * The sessions that may call IAM. AWS: "You cannot call any IAM API operations unless MFA authentication information is
 * included in the request", and federated users may not call IAM at all.
 */
import type { Session } from '../../kernel/gate/session.ts'

export function acceptsSession({ subject, mfaAt, assumedRoot, signIn }: Session): boolean {
  // The restriction is GetSessionToken's: the console calls IAM for people without a second factor, too.
  if (signIn) return true
  return subject.kind === 'role' || assumedRoot === true || (subject.kind !== 'federated-user' && mfaAt !== undefined)
}
