/** The two steps of SRP with a user's password, and with a remembered device. The server's secrets travel sealed in the block. */
import { createHash, timingSafeEqual } from 'node:crypto'
import {
  claimSignature,
  readClientValue,
  type SrpIdentity,
  type SrpVerifier,
  serverStep,
  sessionKey,
} from '../../engines/srp/srp.ts'
import type { Flow } from './resources.ts'
import { invalidParameter, notAuthorized } from './resources.ts'

const BINDING = 'srp block'
/** Of a public value: blocks of one length, whatever the values begin with. */
const DIGITS = 768
const LIFETIME_MS = 5 * 60_000

interface Block {
  /** The digest of what it belongs to, pool, client, user or device: as long for users that do not exist. */
  readonly for: string
  readonly clientValue: string
  readonly publicValue: string
  /** base64 */
  readonly secret: string
  readonly expiresAt: number
  readonly id: string
}

const digestOf = (owner: string): string => createHash('sha256').update(owner).digest('base64')

export interface FirstStep {
  readonly SALT: string
  readonly SRP_B: string
  readonly SECRET_BLOCK: string
}

/** `id`: of the step, which is good once. */
export function firstStep(
  call: Pick<Flow, 'vault' | 'now'>,
  { owner, id }: { readonly owner: string; readonly id: string },
  clientText: string | undefined,
  { salt, verifier }: SrpVerifier,
): FirstStep {
  if (clientText === undefined) throw invalidParameter('Missing required parameter SRP_A')
  const clientValue = readClientValue(clientText)
  if (clientValue === undefined) throw invalidParameter('SRP_A is not a valid value.')
  const { secret, publicValue } = serverStep(verifier)
  const block: Block = {
    for: digestOf(owner),
    clientValue: clientText.padStart(DIGITS, '0'),
    publicValue: publicValue.padStart(DIGITS, '0'),
    secret: secret.toString('base64'),
    expiresAt: call.now + LIFETIME_MS,
    id,
  }
  const sealed = call.vault.issue('user-pool', BINDING, Buffer.from(JSON.stringify(block)))
  // Clients read the block as base64 and sign its bytes.
  return { SALT: salt, SRP_B: publicValue, SECRET_BLOCK: Buffer.from(sealed, 'base64url').toString('base64') }
}

export interface SecondStep {
  readonly PASSWORD_CLAIM_SECRET_BLOCK?: string | undefined
  readonly PASSWORD_CLAIM_SIGNATURE?: string | undefined
  readonly TIMESTAMP?: string | undefined
}

export interface OpenedBlock {
  readonly id: string
  readonly expiresAt: number
  /** Whether the signature shows that the client knew the secret of this verifier. */
  readonly proves: (identity: SrpIdentity, verifier: SrpVerifier) => boolean
}

/** Throws for a block that is not of this owner, or too old, and for a time that is far off. */
export function openBlock(call: Pick<Flow, 'vault' | 'now'>, owner: string, step: SecondStep): OpenedBlock {
  const { PASSWORD_CLAIM_SECRET_BLOCK: text, PASSWORD_CLAIM_SIGNATURE: given, TIMESTAMP: timestamp } = step
  if (!text) throw invalidParameter('Missing required parameter PASSWORD_CLAIM_SECRET_BLOCK')
  if (!given) throw invalidParameter('Missing required parameter PASSWORD_CLAIM_SIGNATURE')
  if (!timestamp) throw invalidParameter('Missing required parameter TIMESTAMP')
  const bytes = Buffer.from(text, 'base64')
  const opened = call.vault.redeem('user-pool', BINDING, bytes.toString('base64url'))
  const block = opened && (JSON.parse(opened.toString('utf8')) as Block)
  if (!block || block.for !== digestOf(owner) || block.expiresAt <= call.now)
    throw notAuthorized('Invalid session for the user.')
  const at = Date.parse(timestamp)
  if (!(Math.abs(at - call.now) <= LIFETIME_MS)) throw notAuthorized('The TIMESTAMP is too far from the present time.')
  return {
    id: block.id,
    expiresAt: block.expiresAt,
    proves: (identity, { verifier }) => {
      const key = sessionKey({
        verifier,
        secret: Buffer.from(block.secret, 'base64'),
        publicValue: block.publicValue,
        clientValue: readClientValue(block.clientValue)!,
      })
      const right = key && claimSignature(key, identity, bytes, timestamp)
      const shown = Buffer.from(given, 'base64')
      return right !== undefined && shown.length === right.length && timingSafeEqual(shown, right)
    },
  }
}
