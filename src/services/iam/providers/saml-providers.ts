/** SAML identity providers: whose assertions `AssumeRoleWithSAML` may believe. */
import { constants, createPrivateKey, privateDecrypt, randomUUID } from 'node:crypto'
import type { OaepHash } from '../../../engines/saml/encryption.ts'
import { MetadataError, parseSamlMetadata, type SamlMetadata } from '../../../engines/saml/metadata.ts'
import { parsePrivateKey } from '../../../engines/x509/certificate.ts'
import type { Call, Scope } from '../../../kernel/gate/call.ts'
import type { TrustedIdp } from '../../../kernel/ports/ports.ts'
import type { Row } from '../../../kernel/resource/facts.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { type Key, key, type Unit } from '../../../store/store.ts'
import type { SealContext, Sealed } from '../../../vault/sealed-value.ts'
import type { Vault } from '../../../vault/vault.ts'
import { count } from '../counts.ts'
import { listedTags, shownTags, tagRules } from '../tags.ts'
import { alreadyExists, date, iam } from '../words.ts'

interface DecryptionKey {
  readonly id: string
  readonly addedAt: number
  readonly key: Sealed
}

export interface SamlProviderRow extends Row {
  readonly name: string
  readonly uuid: string
  /** The metadata, verbatim. */
  readonly document: string
  readonly createdAt: number
  readonly validUntil: number
  readonly encryption?: 'Required' | 'Allowed'
  /** The service that owns it: only that service changes it. */
  readonly reservedBy?: string
  /** For encrypted assertions; PEM, sealed. Two at most, so that one can take over from the other. */
  readonly keys: readonly DecryptionKey[]
}

const KEYS_MAX = 2
/** What AWS shows for metadata that names no end: a hundred years from its upload. */
const VALID_MS_DEFAULT = 100 * 365.25 * 24 * 3600 * 1000

export const samlProvider = iam.resource({
  kind: 'saml-provider',
  type: 'AWS::IAM::SAMLProvider',
  arn: 'arn:${Partition}:iam::${Account}:saml-provider/${SamlProviderName}',
  storedPer: 'account',
  idOf: (row: SamlProviderRow) => ({ SamlProviderName: row.name }),
  normalize: (name) => name.toLowerCase(),
  tags: tagRules('iam:TagSAMLProvider'),
  faults: {
    notFound: (arn) => iam.fail('NoSuchEntityException', `Manifest not found for arn ${arn}`),
    invalidReference: (text) => iam.fail('InvalidInputException', `ARN ${text} is not valid.`),
    alreadyExists: (_arn, { SamlProviderName }) => alreadyExists('SAMLProvider', SamlProviderName),
  },
})

const providerNamed = samlProvider.named('SAMLProviderArn')

export const createSamlProvider = iam
  .operation('CreateSAMLProvider')
  .on(samlProvider.created((input: { readonly Name: string }) => ({ SamlProviderName: input.Name })))
  .run(async (call, input, { arn, tags, assertAvailable, create }) => {
    assertAvailable()
    const metadata = checkedMetadata(call, input.SAMLMetadataDocument)
    await count(call, 'SAMLProviders', 1)

    const uuid = call.newId()
    const row: SamlProviderRow = {
      name: input.Name,
      uuid,
      document: input.SAMLMetadataDocument,
      createdAt: call.now,
      validUntil: metadata.validUntil ?? call.now + VALID_MS_DEFAULT,
      ...(input.AssertionEncryptionMode !== undefined && { encryption: input.AssertionEncryptionMode }),
      keys: input.AddPrivateKey === undefined ? [] : [sealedKey(call, uuid, input.AddPrivateKey)],
      tags,
    }
    create(withKeyForMode(row))
    index(call.unit, row, arn)
    return { SAMLProviderArn: arn, ...shownTags(row) }
  })

export const getSamlProvider = iam
  .operation('GetSAMLProvider')
  .on(providerNamed)
  .run((_call, _input, { row }) => ({
    SAMLProviderUUID: row.uuid,
    SAMLMetadataDocument: row.document,
    CreateDate: date(row.createdAt),
    ValidUntil: date(row.validUntil),
    ...shownTags(row),
    ...(row.encryption !== undefined && { AssertionEncryptionMode: row.encryption }),
    ...(row.keys.length > 0 && {
      PrivateKeyList: row.keys.map((key) => ({ KeyId: key.id, Timestamp: date(key.addedAt) })),
    }),
  }))

export const listSamlProviders = iam
  .operation('ListSAMLProviders')
  .on(samlProvider.collection())
  .run(async (call, _input, providers) => ({
    SAMLProviderList: (await providers.all()).map((row) => ({
      Arn: samlProvider.arnOf(call, row),
      ValidUntil: date(row.validUntil),
      CreateDate: date(row.createdAt),
    })),
  }))

export const updateSamlProvider = iam
  .operation('UpdateSAMLProvider')
  .on(providerNamed)
  .run((call, input, { row, arn, save }) => {
    protectProvider(row)
    const document = input.SAMLMetadataDocument
    const metadata = document === undefined ? undefined : checkedMetadata(call, document)
    const changed: SamlProviderRow = {
      ...row,
      ...(document !== undefined && { document, validUntil: metadata?.validUntil ?? call.now + VALID_MS_DEFAULT }),
      ...(input.AssertionEncryptionMode !== undefined && { encryption: input.AssertionEncryptionMode }),
      keys: changedKeys(call, row, input.AddPrivateKey, input.RemovePrivateKey),
    }
    save(withKeyForMode(changed))
    index(call.unit, row, arn)
    return { SAMLProviderArn: arn }
  })

export const deleteSamlProvider = iam
  .operation('DeleteSAMLProvider')
  .on(providerNamed)
  .run(async (call, _input, { row, remove }) => {
    protectProvider(row)
    remove()
    call.unit.delete(uuidKey(row.uuid))
    await count(call, 'SAMLProviders', -1)
    return {}
  })

export const samlProviderTagging = iam.tagging(samlProvider, {
  tag: 'TagSAMLProvider',
  untag: 'UntagSAMLProvider',
  list: 'ListSAMLProviderTags',
  resource: 'SAMLProviderArn',
  listed: listedTags,
  guard: (_call, row) => protectProvider(row),
})

/** Refuses to change a provider that a service keeps. */
function protectProvider({ reservedBy, name }: SamlProviderRow): void {
  if (reservedBy === undefined) return
  throw iam.fail(
    'UnmodifiableEntityException',
    `Cannot perform the operation on the protected SAML provider '${name}' - it is only modifiable by AWS`,
  )
}

function checkedMetadata(call: Call, document: string): SamlMetadata {
  const metadata = parsedMetadata(document)
  if (metadata.validUntil !== undefined && metadata.validUntil <= call.now) {
    throw iam.fail('InvalidInputException', 'Metadata has expired.')
  }
  return metadata
}

function parsedMetadata(document: string): SamlMetadata {
  try {
    return parseSamlMetadata(document)
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error
    throw iam.fail('InvalidInputException', `Could not parse metadata: ${error.message}`)
  }
}

function changedKeys(
  call: Call,
  row: SamlProviderRow,
  added: string | undefined,
  removed: string | undefined,
): readonly DecryptionKey[] {
  if (removed !== undefined && !row.keys.some(({ id }) => id === removed)) {
    throw iam.fail('InvalidInputException', `The private key with id ${removed} cannot be found.`)
  }
  const kept = row.keys.filter(({ id }) => id !== removed)
  const keys = added === undefined ? kept : [...kept, sealedKey(call, row.uuid, added)]
  if (keys.length > KEYS_MAX) {
    throw iam.fail('LimitExceededException', `Cannot exceed quota for PrivateKeysPerSAMLProvider: ${KEYS_MAX}`)
  }
  return keys
}

function sealedKey(call: Call, uuid: string, pem: string): DecryptionKey {
  parsePem(pem)
  const id = call.newId().replaceAll('-', '').toUpperCase()
  return { id, addedAt: call.now, key: call.vault.seal(placeOf(call.account, uuid, id), Buffer.from(pem)) }
}

function parsePem(pem: string): void {
  try {
    parsePrivateKey(pem)
  } catch {
    throw iam.fail('InvalidInputException', 'The private key could not be parsed.')
  }
}

const placeOf = (account: string, uuid: string, id: string): SealContext => ({
  table: 'iam/saml-provider',
  key: uuid,
  column: 'private-key',
  account,
  version: id,
})

/** To demand encrypted assertions without a key to read them would lock everyone out. */
function withKeyForMode(row: SamlProviderRow): SamlProviderRow {
  if (row.encryption !== 'Required' || row.keys.length > 0) return row
  throw iam.fail('InvalidInputException', 'A private key is required when AssertionEncryptionMode is Required.')
}

/** Finds a provider by its UUID, which the addresses of encrypted sign-in contain: nothing else in them names it. */
const uuidKey = (uuid: string): Key => key('iam', 'saml-provider-of-uuid', uuid)

const index = (unit: Unit, { uuid }: SamlProviderRow, arn: string): void => unit.put(uuidKey(uuid), { arn })

export const samlProviderArn = async (reader: Reader, uuid: string): Promise<string | undefined> =>
  (await reader.get<{ readonly arn: string }>(uuidKey(uuid)))?.arn

/** Metadata may have ten million characters, and unauthenticated callers name providers: parsed once a row. */
const parsedRows = new WeakMap<SamlProviderRow, SamlMetadata>()

/** The provider as STS sees it. */
export function trustedIdp(vault: Vault, at: Scope, row: SamlProviderRow): TrustedIdp {
  const metadata = parsedRows.get(row) ?? parseSamlMetadata(row.document)
  parsedRows.set(row, metadata)
  return {
    arn: samlProvider.arnOf(at, row),
    account: at.account,
    name: row.name,
    entityId: metadata.entityId,
    signingCertificates: metadata.signingCertificates,
    validUntil: row.validUntil,
    encryption: row.encryption,
    unwrap: row.keys.length === 0 ? undefined : (wrapped, hash) => unwrapped(vault, at.account, row, wrapped, hash),
  }
}

/** What each private key makes of an encrypted content key; keys that do not fit are left out. */
function unwrapped(vault: Vault, account: string, row: SamlProviderRow, wrapped: Uint8Array, oaepHash: OaepHash) {
  return row.keys.flatMap((each) => {
    const pem = vault.open(placeOf(account, row.uuid, each.id), each.key)
    try {
      const privateKey = createPrivateKey(pem)
      return [privateDecrypt({ key: privateKey, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, wrapped)]
    } catch {
      return []
    } finally {
      pem.fill(0)
    }
  })
}

/** The SAML provider of a service in an account: created where there is none of this name. */
export async function putReservedProvider(
  call: Pick<Call, 'unit' | 'now' | 'quotas' | 'account'>,
  { name, metadata, service }: { readonly name: string; readonly metadata: string; readonly service: string },
): Promise<string> {
  const at = { partition: 'aws', region: '', account: call.account }
  const before = await samlProvider.get(call.unit, at, { SamlProviderName: name })
  const arn = samlProvider.arn(at, { SamlProviderName: name })
  if (before?.document === metadata) return arn
  if (!before) await count(call, 'SAMLProviders', 1)
  const row: SamlProviderRow = {
    name,
    uuid: before?.uuid ?? randomUUID(),
    document: metadata,
    createdAt: before?.createdAt ?? call.now,
    validUntil: parseSamlMetadata(metadata).validUntil ?? call.now + VALID_MS_DEFAULT,
    reservedBy: service,
    keys: [],
    tags: {},
  }
  samlProvider.put(call.unit, at, row)
  index(call.unit, row, arn)
  return arn
}
