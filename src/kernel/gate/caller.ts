/** The authenticated caller of a request. */
import type { Principal } from '../../policy/principal.ts'
import type { Session, Subject } from './session.ts'

/** The authenticated caller: its principal as policies see it, and the credential it came with. */
export interface Caller {
  readonly principal: Principal
  readonly subject: Subject
  readonly accessKeyId: string
  /** Present for temporary credentials only. */
  readonly session?: Session
}
