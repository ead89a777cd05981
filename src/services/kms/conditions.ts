/**
 * The condition keys of KMS: what a request says, and what its key is.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 */

import type { Call, Conditions } from '../../kernel/call.ts'
import type { AbsentKeys } from '../../kernel/condition-keys.ts'
import { meantBy } from './grant-constraints.ts'
import { periodDaysOf, WINDOW_DAYS_DEFAULT } from './key-jobs.ts'
import { aliasIn } from './references.ts'
import type { GrantConstraints, KeyRow } from './resources.ts'

const NO_ATTESTATION = 'Requests with a Recipient are refused: no attestation root is configured.'

/** Keys of the key that an alias refers to. */
const KEY_OF_ALIAS = ['KeyOrigin', 'KeySpec', 'KeyUsage', 'MultiRegion', 'MultiRegionKeyType', 'ResourceAliases']
const elsewhere = ['CreateAlias', 'UpdateAlias', 'DeleteAlias'].flatMap((operation) =>
  KEY_OF_ALIAS.map((key) => [
    `kms:${operation} kms:${key}`,
    'The alias has none; the key it refers to is authorized by a check of its own, which has them.',
  ]),
)
const NO_CONTEXT = 'A grant is retired without an encryption context.'

/** Keys of the authorization reference that no request supplies, and why. */
export const absentKeys: AbsentKeys = {
  ...Object.fromEntries(elsewhere),
  'kms:RetireGrant kms:EncryptionContext:${EncryptionContextKey}': NO_CONTEXT,
  'kms:RetireGrant kms:EncryptionContextKeys': NO_CONTEXT,
  'kms:RetireGrant kms:GrantConstraintType': 'The constraint of a grant is a key of its creation.',
  'kms:TrailingDaysWithoutKeyUsage': 'The last use of a key is read from the audit log, which no decision waits for.',
  'kms:RecipientAttestation:*': NO_ATTESTATION,
}

type Values = Record<string, string | readonly string[] | undefined>
type Input = Readonly<Record<string, unknown>>

export const SYMMETRIC = 'SYMMETRIC_DEFAULT'

/** Members whose value is the key's value, under whatever operation they come. */
const MEMBERS = new Map(
  Object.entries({
    BypassPolicyLockoutSafetyCheck: 'kms:BypassPolicyLockoutSafetyCheck',
    EncryptionAlgorithm: 'kms:EncryptionAlgorithm',
    SigningAlgorithm: 'kms:SigningAlgorithm',
    MessageType: 'kms:MessageType',
    MacAlgorithm: 'kms:MacAlgorithm',
    KeyAgreementAlgorithm: 'kms:KeyAgreementAlgorithm',
    KeyPairSpec: 'kms:DataKeyPairSpec',
    ExpirationModel: 'kms:ExpirationModel',
    ValidTo: 'kms:ValidTo',
    WrappingAlgorithm: 'kms:WrappingAlgorithm',
    WrappingKeySpec: 'kms:WrappingKeySpec',
    PendingWindowInDays: 'kms:ScheduleKeyDeletionPendingWindowInDays',
    RotationPeriodInDays: 'kms:RotationPeriodInDays',
    PrimaryRegion: 'kms:PrimaryRegion',
    ReplicaRegion: 'kms:ReplicaRegion',
    Operations: 'kms:GrantOperations',
    GranteePrincipal: 'kms:GranteePrincipal',
    GranteeServicePrincipal: 'kms:GranteeServicePrincipal',
    RetiringPrincipal: 'kms:RetiringPrincipal',
    RetiringServicePrincipal: 'kms:RetiringServicePrincipal',
  }),
)

/** What the operation does when the request does not say: AWS decides, and records, by that. */
const DEFAULTS: Readonly<Record<string, Values>> = {
  Encrypt: { 'kms:EncryptionAlgorithm': SYMMETRIC },
  Decrypt: { 'kms:EncryptionAlgorithm': SYMMETRIC },
  GenerateDataKey: { 'kms:EncryptionAlgorithm': SYMMETRIC },
  GenerateDataKeyPair: { 'kms:EncryptionAlgorithm': SYMMETRIC },
  GenerateDataKeyPairWithoutPlaintext: { 'kms:EncryptionAlgorithm': SYMMETRIC },
  GenerateDataKeyWithoutPlaintext: { 'kms:EncryptionAlgorithm': SYMMETRIC },
  CreateKey: { 'kms:BypassPolicyLockoutSafetyCheck': 'false' },
  PutKeyPolicy: { 'kms:BypassPolicyLockoutSafetyCheck': 'false' },
  ImportKeyMaterial: { 'kms:ExpirationModel': 'KEY_MATERIAL_EXPIRES' },
  ScheduleKeyDeletion: { 'kms:ScheduleKeyDeletionPendingWindowInDays': String(WINDOW_DAYS_DEFAULT) },
  Sign: { 'kms:MessageType': 'RAW' },
  Verify: { 'kms:MessageType': 'RAW' },
}

const ABOUT_GRANTS: ReadonlySet<string> = new Set(['CreateGrant', 'ListGrants', 'RevokeGrant'])

/** For every operation on a key. */
export function conditions(input: object, call: Call, row: KeyRow | undefined): Conditions {
  const asked = input as Input
  const named = typeof asked['KeyId'] === 'string' ? aliasIn(asked['KeyId']) : undefined
  // One object filled up: spread after spread, it would take longer than the decision.
  return Object.assign(
    common(call),
    DEFAULTS[call.operation],
    call.operation === 'EnableKeyRotation' && { 'kms:RotationPeriodInDays': String(periodDaysOf(row)) },
    requested(asked),
    row && ofKey(row),
    contextConditions(asked['EncryptionContext'] as Readonly<Record<string, string>> | undefined),
    named && { 'kms:RequestAlias': named },
    call.operation === 'CreateGrant' && grantConditions(asked),
    ABOUT_GRANTS.has(call.operation) && { 'kms:GrantIsForAWSResource': String(call.via.length > 0) },
  )
}

/** Whose call it is, and through which service it comes. */
export function common(call: Pick<Call, 'account' | 'region' | 'via'>): Conditions {
  const via = call.via.at(-1)
  return {
    'kms:CallerAccount': call.account,
    'kms:ViaService': via?.replace(/\.amazonaws\.com$/, `.${call.region}.amazonaws.com`),
  }
}

export function ofKey(row: KeyRow): Conditions {
  return {
    'kms:KeySpec': row.spec,
    'kms:CustomerMasterKeySpec': row.spec,
    'kms:KeyUsage': row.usage,
    'kms:CustomerMasterKeyUsage': row.usage,
    'kms:KeyOrigin': row.origin,
    'kms:MultiRegion': String(row.multiRegion !== undefined),
    'kms:MultiRegionKeyType': row.multiRegion && (row.multiRegion.primary === row.region ? 'PRIMARY' : 'REPLICA'),
    'kms:ResourceAliases': row.aliases.length > 0 ? row.aliases : undefined,
  }
}

/**
 * Names of condition keys know no case, those of an encryption context do: pairs that differ only by case become one key
 * of several values, which no single-valued operator allows.
 */
export function contextConditions(context: Readonly<Record<string, string>> | undefined): Conditions {
  const names = Object.keys(context ?? {})
  if (!context || names.length === 0) return {}
  const values = new Map<string, { name: string; values: string[] }>()
  for (const name of names) {
    const found = values.get(name.toLowerCase())
    if (found) found.values.push(context[name]!)
    else values.set(name.toLowerCase(), { name, values: [context[name]!] })
  }
  const found: Values = { 'kms:EncryptionContextKeys': names }
  for (const { name, values: given } of values.values()) {
    found[`kms:EncryptionContext:${name}`] = given.length === 1 ? given[0]! : given
  }
  return found
}

function requested(input: Input): Values {
  const found: Values = {}
  for (const member of Object.keys(input)) {
    const [key, value] = [MEMBERS.get(member), input[member]]
    if (key === undefined || value === undefined) continue
    if (Array.isArray(value)) found[key] = value.map(String)
    else found[key] = value instanceof Date ? value.toISOString() : String(value)
  }
  return found
}

/** Of a grant, the constraint is the encryption context that policies judge. */
function grantConditions(input: Input): Conditions {
  const meant = meantBy(input['Constraints'] as GrantConstraints | undefined)
  const types = Object.keys(meant ?? {}).filter((type) => type.startsWith('EncryptionContext'))
  return {
    ...contextConditions(meant?.EncryptionContextEquals ?? meant?.EncryptionContextSubset),
    'kms:GrantConstraintSourceArn': meant?.SourceArn,
    'kms:GrantConstraintType': types.length > 0 ? types : undefined,
  }
}
