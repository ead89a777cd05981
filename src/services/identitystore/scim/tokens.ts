/** Access tokens of provisioning: two a directory at most, each for a year. Their secrets are stored as hashes. */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import type { BearerScheme } from '../../../kernel/service/bearer.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { type Key, key, type Unit, under } from '../../../store/store.ts'
import { Fault } from '../../../wire/fault.ts'
import { header } from '../../../wire/http.ts'
import { type StoreRow, storeKey } from '../rows.ts'

const TOKENS_MAX = 2
const YEAR_MS = 365 * 24 * 3600 * 1000
const TOKEN_CHARS_MAX = 256

interface TokenRow {
  readonly id: string
  readonly hash: string
  readonly createdAt: number
  readonly expiresAt: number
}

export interface ScimClaims {
  readonly storeId: string
  readonly tokenId: string
}

const tokenKey = (storeId: string, id: string): Key => key('identitystore', 'scim-token', storeId, id)

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

export interface CreatedToken {
  readonly id: string
  /** Shown this once. */
  readonly token: string
  readonly expiresAt: number
}

/** undefined where the directory has two tokens already. */
export async function createScimToken(unit: Unit, storeId: string, now: number): Promise<CreatedToken | undefined> {
  const rows = await unit.range<TokenRow>(under('identitystore', 'scim-token', storeId))
  const living = rows.filter(({ document }) => document.expiresAt > now)
  for (const { key: at, document } of rows) if (document.expiresAt <= now) unit.delete(at)
  if (living.length >= TOKENS_MAX) return undefined
  const id = randomUUID()
  const secret = randomBytes(32).toString('base64url')
  const expiresAt = now + YEAR_MS
  unit.put(tokenKey(storeId, id), { id, hash: hashOf(secret), createdAt: now, expiresAt } satisfies TokenRow)
  return { id, token: Buffer.from(`${storeId}.${id}.${secret}`).toString('base64url'), expiresAt }
}

export const scimTokens = async (reader: Reader, storeId: string): Promise<readonly Omit<TokenRow, 'hash'>[]> =>
  (await reader.range<TokenRow>(under('identitystore', 'scim-token', storeId))).map(
    ({ document: { hash: _hash, ...token } }) => token,
  )

export async function deleteScimToken(unit: Unit, storeId: string, id: string): Promise<boolean> {
  const at = tokenKey(storeId, id)
  if (!(await unit.get(at))) return false
  unit.delete(at)
  return true
}

const unauthorized = () => new Fault('Unauthorized', 'The access token is missing, wrong or expired.', { status: 401 })

export const scimScheme: BearerScheme<ScimClaims> = {
  token: (request) => /^Bearer ([\w-]+)$/i.exec(header(request, 'authorization') ?? '')?.[1],
  verify: async (text, { reader, now }) => {
    if (text === undefined || text.length > TOKEN_CHARS_MAX) throw unauthorized()
    const [storeId = '', tokenId = '', secret = ''] = Buffer.from(text, 'base64url').toString('utf8').split('.')
    const row = await reader.get<TokenRow>(tokenKey(storeId, tokenId))
    const [sent, expected] = [Buffer.from(hashOf(secret)), Buffer.from(row?.hash ?? '')]
    const isRight = sent.length === expected.length && timingSafeEqual(sent, expected)
    const store = row && isRight && row.expiresAt > now ? await reader.get<StoreRow>(storeKey(storeId)) : undefined
    if (!store) throw unauthorized()
    return {
      account: store.account,
      region: store.region,
      identity: { type: 'Unknown', accountId: store.account, principalId: `scim/${storeId}/${tokenId}` },
      claims: { storeId, tokenId },
    }
  },
}
