/** User import jobs as rows, the parts of their files, sealed, and the address for the upload. */
import type { UserImportJobStatusType } from '@aws-sdk/client-cognito-identity-provider'
import type { Reader } from '../../kernel/state/reader.ts'
import { key, under } from '../../store/store.ts'
import type { Sealed } from '../../vault/sealed-value.ts'
import { at, type Flow, type PoolRow, sealedAt } from './resources.ts'

export interface ImportRow {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly status: UserImportJobStatusType
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly startedAt?: number | undefined
  readonly completedAt?: number | undefined
  /** Parts of the uploaded file; undefined before the upload. */
  readonly parts?: number | undefined
  /** The first line of the file. */
  readonly header?: string | undefined
  /** Names of the parts that belong to it: a second upload has others. */
  readonly upload?: string | undefined
  readonly imported: number
  readonly skipped: number
  readonly failed: number
  readonly message?: string | undefined
}

/** Whole lines. */
export interface PartRow {
  /** The number of the first line in the file, from 1. */
  readonly line: number
  readonly sealed: Sealed
}

export const importKey = (pool: string, id: string) => at.part(pool, 'import', id)
export const importOf = (reader: Reader, pool: string, id: string) => reader.get<ImportRow>(importKey(pool, id))

const partName = (upload: string, part: number) => `${upload}-${String(part).padStart(6, '0')}`
export const partKey = (pool: string, id: string, upload: string, part: number) =>
  key('cognito-idp', 'import-part', pool, id, partName(upload, part))
export const partsOf = (pool: string, id: string) => under('cognito-idp', 'import-part', pool, id)

export const partPlace = (pool: PoolRow, id: string, upload: string, part: number) =>
  sealedAt(pool, 'import', `${pool.id}/${id}/${partName(upload, part)}`)

/** AWS's own. */
const ADDRESS_MS = 15 * 60_000
/** A job that is not started by then is over. */
export const UNSTARTED_MS = 24 * 60 * 60_000
const BINDING = 'user import'

export const IMPORT_BASE = '/_cognito-import'

/** An address that takes the file for a quarter of an hour, without another proof. */
export function uploadAddress(
  call: Pick<Flow, 'vault' | 'now'> & { readonly origin: string },
  pool: string,
  id: string,
) {
  const claims = Buffer.from(JSON.stringify({ pool, id, expiresAt: call.now + ADDRESS_MS }))
  return `${call.origin}${IMPORT_BASE}/${pool}/${id}?token=${call.vault.issue('user-pool', BINDING, claims)}`
}

/** Whether the token of an address is one for this job, and has not expired. */
export function isUploadToken({ vault, now }: Pick<Flow, 'vault' | 'now'>, token: string, pool: string, id: string) {
  const opened = vault.redeem('user-pool', BINDING, token)
  const claims = opened && (JSON.parse(opened.toString('utf8')) as { pool: string; id: string; expiresAt: number })
  return claims !== undefined && claims.pool === pool && claims.id === id && claims.expiresAt > now
}
