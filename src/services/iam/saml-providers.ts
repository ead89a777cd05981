/** SAML identity providers: whose assertions `AssumeRoleWithSAML` may believe. */
import { parseArn } from '../../kernel/arn.ts'
import type { Call } from '../../kernel/call.ts'
import { anything, type Row } from '../../kernel/resource.ts'
import type { Place, Sealed } from '../../vault/vault.ts'
import { parsePrivateKey } from './certificates.ts'
import { count } from './counts.ts'
import { date, iam } from './resources.ts'
import { MetadataError, parseSamlMetadata, type SamlMetadata } from './saml-metadata.ts'
import { newTags, shownTags } from './tags.ts'

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
  /** For encrypted assertions; PEM, sealed. Two at most, so that one can take over from the other. */
  readonly keys: readonly DecryptionKey[]
}

const KEYS_MAX = 2
/** What AWS shows for metadata that names no end: a hundred years from its upload. */
const VALID_MS_DEFAULT = 100 * 365.25 * 24 * 3600 * 1000

export const samlProvider = iam.resource<SamlProviderRow>({
  kind: 'saml-provider',
  type: 'AWS::IAM::SAMLProvider',
  global: true,
  fold: (name) => name.toLowerCase(),
  id: (row) => row.name,
  path: (id, row) => `saml-provider/${row?.name ?? id}`,
  resolve: (call, arn) => nameOf(call, arn) ?? arn,
  missing: (_id, arn) => iam.fail('NoSuchEntityException', `Manifest not found for arn ${arn}`),
})

function nameOf(call: Call, text: string): string | undefined {
  const arn = parseArn(text)
  const ours = arn?.service === 'iam' && arn.account === call.account && arn.resource.startsWith('saml-provider/')
  return ours ? arn.resource.slice('saml-provider/'.length) : undefined
}

export const createSamlProvider = iam
  .operation('CreateSAMLProvider')
  .on(samlProvider.made((input) => ({ name: input.Name })))
  .run(async (call, input) => {
    if (await samlProvider.get(call, input.Name)) {
      throw iam.fail('EntityAlreadyExistsException', `SAMLProvider with name ${input.Name} already exists.`)
    }
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
      tags: newTags(input.Tags),
    }
    samlProvider.save(call, withKeyForMode(row))
    return { SAMLProviderArn: samlProvider.arnOf(call, row), ...shownTags(row) }
  })

export const getSamlProvider = iam
  .operation('GetSAMLProvider')
  .on(samlProvider.named('SAMLProviderArn'))
  .run((_call, _input, row) => ({
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
  .on(anything)
  .run(async (call) => ({
    SAMLProviderList: (await samlProvider.list(call)).map(({ document: row }) => ({
      Arn: samlProvider.arnOf(call, row),
      ValidUntil: date(row.validUntil),
      CreateDate: date(row.createdAt),
    })),
  }))

export const updateSamlProvider = iam
  .operation('UpdateSAMLProvider')
  .on(samlProvider.named('SAMLProviderArn'))
  .run((call, input, row) => {
    const document = input.SAMLMetadataDocument
    const metadata = document === undefined ? undefined : checkedMetadata(call, document)
    const changed: SamlProviderRow = {
      ...row,
      ...(document !== undefined && { document, validUntil: metadata?.validUntil ?? call.now + VALID_MS_DEFAULT }),
      ...(input.AssertionEncryptionMode !== undefined && { encryption: input.AssertionEncryptionMode }),
      keys: changedKeys(call, row, input.AddPrivateKey, input.RemovePrivateKey),
    }
    samlProvider.save(call, withKeyForMode(changed))
    return { SAMLProviderArn: samlProvider.arnOf(call, row) }
  })

export const deleteSamlProvider = iam
  .operation('DeleteSAMLProvider')
  .on(samlProvider.named('SAMLProviderArn'))
  .run(async (call, _input, row) => {
    samlProvider.remove(call, row)
    await count(call, 'SAMLProviders', -1)
    return {}
  })

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

const placeOf = (account: string, uuid: string, id: string): Place => ({
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
