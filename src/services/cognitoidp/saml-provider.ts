/** SAML identity providers of a pool: their metadata, by document or by address, and the pool's own signing key. */
import type { SamlSigner } from '../../engines/saml/issue.ts'
import { MetadataError, parseRedirectProviderMetadata, type SamlMetadata } from '../../engines/saml/metadata.ts'
import { newSamlKey, type SamlKey, samlSigner } from '../../kernel/federation/saml-key.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { federationHttp } from '../../kernel/ports/federation-http.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { Fault } from '../../wire/fault.ts'
import { at, cognito, invalidParameter, type PoolRow, poolNamed } from './resources.ts'

export interface SamlProviderMetadata extends SamlMetadata {
  /** Epoch milliseconds. */
  readonly readAt: number
}

type Details = Readonly<Record<string, string>>
type Fetching = Pick<Call, 'use' | 'once' | 'now'>

/** As AWS: metadata by address is read again every six hours. */
const REFRESH_MS = 6 * 3600 * 1000
/** After a failure: each sign-in that a stranger begins would be a request to the provider. */
const RETRY_MS = 5 * 60 * 1000

/** Throws a fault where the metadata cannot be read or used. */
export async function readMetadata(call: Fetching, details: Details): Promise<SamlProviderMetadata> {
  const { MetadataFile: file, MetadataURL: url } = details
  const document = file || (await fetched(call, url ?? ''))
  try {
    return { ...parseRedirectProviderMetadata(document), readAt: call.now }
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error
    throw invalidParameter(`The metadata of the SAML provider cannot be used: ${error.message}.`)
  }
}

async function fetched(call: Fetching, url: string): Promise<string> {
  const failed = (why: string) => invalidParameter(`Error retrieving metadata from ${url}: ${why}.`)
  try {
    const { status, body } = await call.once(() => call.use(federationHttp).send({ method: 'GET', url }))
    if (status === 200) return body
    throw failed(`the answer is ${status}`)
  } catch (error) {
    if (error instanceof Fault) throw error
    throw failed('the address cannot be reached')
  }
}

/** Newer metadata, where it is due and can be read; the stored one serves until its own end. */
export async function currentMetadata(
  call: Fetching,
  details: Details,
  stored: SamlProviderMetadata | undefined,
): Promise<SamlProviderMetadata> {
  if (stored && (details['MetadataFile'] || call.now - stored.readAt < REFRESH_MS)) return stored
  try {
    return await readMetadata(call, details)
  } catch (error) {
    if (stored) return { ...stored, readAt: call.now - REFRESH_MS + RETRY_MS }
    throw error
  }
}

/** What AWS adds to the details, for those who describe the provider. */
export const metadataDetails = ({ signOnByRedirect, signOutByRedirect }: SamlProviderMetadata): Details => ({
  ...(signOnByRedirect !== undefined && { SSORedirectBindingURI: signOnByRedirect }),
  ...(signOutByRedirect !== undefined && { SLORedirectBindingURI: signOutByRedirect }),
})

const keyAt = (pool: PoolRow) => at.part(pool.id, 'saml-key', 'signing')

const readKey = (reader: Reader, pool: PoolRow) => reader.get<SamlKey>(keyAt(pool))

/** The pool's key, made when it is first needed. */
export async function requireKey(call: Pick<Call, 'unit' | 'once' | 'vault' | 'now'>, pool: PoolRow): Promise<SamlKey> {
  const known = await readKey(call.unit, pool)
  if (known) return known
  const home = { table: 'cognito-idp/pool', key: pool.id, column: 'saml', account: pool.account, name: pool.id }
  const made = await call.once(() => newSamlKey(call.vault, home, { now: call.now, years: 10 }))
  call.unit.put(keyAt(pool), made)
  return made
}

export async function signerOf(call: Pick<Call, 'unit' | 'vault'>, pool: PoolRow): Promise<SamlSigner | undefined> {
  const key = await readKey(call.unit, pool)
  return key && samlSigner(call.vault, key)
}

/** With which the pool signs its requests to SAML providers. */
export const getSigningCertificate = cognito
  .operation('GetSigningCertificate')
  .on(poolNamed)
  .run(async (call, _input, { row }) => ({ Certificate: (await requireKey(call, row)).certificate }))
