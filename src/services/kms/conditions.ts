/**
 * The condition keys of KMS: what a request says, and what its key is.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 */
import type { Call } from '../../kernel/gate/call.ts'
import type { AbsentKeys } from '../../kernel/resource/absent-keys.ts'
import type { ConditionKeyTable } from '../../kernel/resource/condition-keys.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import { meantBy } from './grant-constraints.ts'
import { callerKeys } from './key-facts.ts'
import { periodDaysOf, WINDOW_DAYS_DEFAULT } from './key-jobs.ts'
import { aliasIn } from './references.ts'
import type { GrantConstraints } from './rows.ts'

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

export const SYMMETRIC = 'SYMMETRIC_DEFAULT'

/** The value of a member, and what the operation does without it: AWS decides, and records, by that. */
const member =
  (name: string, byDefault?: string): ConditionKeyTable[string] =>
  ({ input }) =>
    textOf(input[name]) ?? byDefault

function textOf(value: unknown): string | readonly string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value)) return value.map(String)
  return value instanceof Date ? value.toISOString() : String(value)
}

/** What requests carry; what a key is comes with the key, in `key-facts.ts`. */
export const conditionKeys: ConditionKeyTable = {
  'kms:BypassPolicyLockoutSafetyCheck': member('BypassPolicyLockoutSafetyCheck', 'false'),
  'kms:CallerAccount': ({ call }) => callerKeys(call)['kms:CallerAccount'],
  'kms:DataKeyPairSpec': member('KeyPairSpec'),
  'kms:EncryptionAlgorithm': member('EncryptionAlgorithm', SYMMETRIC),
  'kms:ExpirationModel': member('ExpirationModel', 'KEY_MATERIAL_EXPIRES'),
  'kms:GrantIsForAWSResource': ({ call }) => String(call.via.length > 0),
  'kms:GrantOperations': member('Operations'),
  'kms:GranteePrincipal': member('GranteePrincipal'),
  'kms:GranteeServicePrincipal': member('GranteeServicePrincipal'),
  'kms:KeyAgreementAlgorithm': member('KeyAgreementAlgorithm'),
  'kms:MacAlgorithm': member('MacAlgorithm'),
  'kms:MessageType': member('MessageType', 'RAW'),
  'kms:PrimaryRegion': member('PrimaryRegion'),
  'kms:ReplicaRegion': member('ReplicaRegion'),
  'kms:RequestAlias': ({ input }) => aliasIn(input.KeyId ?? ''),
  'kms:RetiringPrincipal': member('RetiringPrincipal'),
  'kms:RetiringServicePrincipal': member('RetiringServicePrincipal'),
  'kms:RotationPeriodInDays': ({ input, row }) => textOf(input.RotationPeriodInDays ?? periodDaysOf(row?.row)),
  'kms:ScheduleKeyDeletionPendingWindowInDays': member('PendingWindowInDays', String(WINDOW_DAYS_DEFAULT)),
  'kms:SigningAlgorithm': member('SigningAlgorithm'),
  'kms:ValidTo': member('ValidTo'),
  'kms:ViaService': ({ call }) => callerKeys(call)['kms:ViaService'],
  'kms:WrappingAlgorithm': member('WrappingAlgorithm'),
  'kms:WrappingKeySpec': member('WrappingKeySpec'),
}

/** For operations on no key that the reference lists without these: policies on AWS may rely on them all the same. */
export const callerConditions = (_input: unknown, call: Call): Conditions => callerKeys(call)

interface WithContext {
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined
}

export const requestContext = ({ EncryptionContext }: WithContext): Conditions => contextConditions(EncryptionContext)

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

/** Of a grant, policies evaluate the constraint as the encryption context. */
export function grantConditions({ Constraints }: { readonly Constraints?: object | undefined }): Conditions {
  const meant = meantBy(Constraints as GrantConstraints | undefined)
  const types = Object.keys(meant ?? {}).filter((type) => type.startsWith('EncryptionContext'))
  return {
    ...contextConditions(meant?.EncryptionContextEquals ?? meant?.EncryptionContextSubset),
    'kms:GrantConstraintSourceArn': meant?.SourceArn,
    'kms:GrantConstraintType': types.length > 0 ? types : undefined,
  }
}
