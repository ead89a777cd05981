/** Secrets Manager's resource type: secrets, their versions, and how a request names one. */
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import type { Pins } from '../../kernel/resource/pinned.ts'
import type { Reference } from '../../kernel/resource/resource-type.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { type Key, key } from '../../store/store.ts'
import type { Fault } from '../../wire/fault.ts'
import { invalidParameter, secretsmanager } from './api.ts'
import type { Labelled } from './labels.ts'
import { refusals } from './messages.ts'

export { invalidParameter, invalidRequest, secretsmanager } from './api.ts'

export interface VersionMeta extends Labelled {
  /** The ARN of the KMS key its data key is under; undefined as long as the version has no value. */
  readonly kmsKeyArn?: string
  readonly lastAccessedDay?: number
}

export interface RotationRules {
  readonly AutomaticallyAfterDays?: number | undefined
  readonly ScheduleExpression?: string | undefined
  readonly Duration?: string | undefined
}

export interface Rotation {
  readonly enabled: boolean
  readonly functionArn: string
  readonly rules: RotationRules
  readonly lastRotatedAt?: number
  readonly nextAt?: number
  /** The job that begins the next rotation, for {@link cancelJob}. */
  readonly due?: Key
}

export interface Replica {
  readonly region: string
  readonly kmsKeyId?: string | undefined
  readonly status: 'InSync' | 'Failed' | 'InProgress'
  readonly message?: string | undefined
}

/** As written, with the unique IDs of the principals it names. */
export interface SecretPolicy {
  readonly text: string
  readonly pins: Pins
}

export interface SecretRow extends Row {
  readonly name: string
  /** Six letters or digits that end the ARN. A name that is used again gets new ones. */
  readonly suffix: string
  readonly type?: string | undefined
  readonly description?: string | undefined
  /** As the customer wrote it; undefined is the account's own key for secrets. */
  readonly kmsKeyId?: string | undefined
  readonly policy?: SecretPolicy
  readonly versions: readonly VersionMeta[]
  readonly createdAt: number
  readonly changedAt: number
  /** A UTC day, as AWS returns it. */
  readonly lastAccessedDay?: number
  /** Set while the secret is scheduled for deletion. */
  readonly deletion?: { readonly askedAt: number; readonly at: number; readonly job: Key }
  readonly rotation?: Rotation
  /** The Region a replica follows; on the primary its own once it has replicas. */
  readonly primaryRegion?: string
  readonly replicas?: readonly Replica[]
}

/** One version's value: sealed under a data key, which KMS has sealed. */
export interface ValueRow {
  readonly kind: 'string' | 'binary'
  /** base64 of what KMS calls CiphertextBlob. */
  readonly dataKey: string
  readonly sealed: string
}

/** With the mark that AWS's services put into the names of the secrets they manage. */
const NAME = /^[A-Za-z0-9/_+=.@!-]+$/

const notFound = (): Fault =>
  secretsmanager.fail('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")

export type SecretId = { readonly name: string }
type SecretReference = Reference<SecretId> & { readonly written?: string }

export const secretType = secretsmanager.resource({
  kind: 'secret',
  type: 'AWS::SecretsManager::Secret',
  arn: 'arn:${Partition}:secretsmanager:${Region}:${Account}:secret:${SecretId}',
  patterns: { SecretId: '[A-Za-z0-9/_+=.@!?-]+' },
  storedPer: 'region',
  crossAccount: true,
  identity: {
    names: ['name'],
    // Where the last six characters are unknown, they are open, as in policies that name secrets.
    toArn: ({ name }: SecretId, row: SecretRow | undefined) => ({ SecretId: `${name}-${row?.suffix ?? '??????'}` }),
  },
  idOf: ({ name }): SecretId => ({ name }),
  reference: (call, text) => referenceOf(call, text),
  policy: ({ policy }) => policy,
  policySource: () => ({ id: 'secret' }),
  tags: {
    action: 'secretsmanager:TagResource',
    member: 'Tags',
    problems: {
      duplicate: () => invalidParameter('Duplicate tag keys found. Please note that Tag keys are case insensitive.'),
      reserved: () => invalidParameter('Tag keys that begin with aws: are reserved.'),
      'too-many': () => invalidParameter('A secret can have at most 50 tags.'),
    },
  },
  faults: { notFound, invalidReference: () => refusals.name() },
})

/** A name with the six characters that end the ARN of a secret. */
const WHOLE = /^(.+)-([A-Za-z0-9]{6})$/s

/**
 * By name, by ARN, or by an ARN without its last six characters. An ARN that ends like a whole one is first read as a
 * whole one. Another account's secret is named by its ARN only.
 */
async function referenceOf(call: Call, text: string): Promise<SecretReference | undefined> {
  const arn = text.startsWith('arn:') ? secretType.form.parse(text) : undefined
  const name = arn?.partition === call.partition ? arn.variables.SecretId : text
  if (!NAME.test(name)) return undefined
  if (!arn) return { scope: call, id: { name } }
  const scope: Scope = { partition: call.partition, region: arn.region!, account: arn.account! }
  const partial = { scope, id: { name } }
  const [, wholeName, suffix] = WHOLE.exec(name) ?? []
  if (wholeName === undefined) return partial
  const whole = { scope, id: { name: wholeName }, written: text }
  if (scope.region !== call.region) return whole
  const isWhole = (await secrets.get(call, scope, wholeName))?.suffix === suffix
  return !isWhole && (await secrets.get(call, scope, name)) ? partial : whole
}

export const arnOf = (scope: Scope, row: Pick<SecretRow, 'name' | 'suffix'>): string =>
  secretType.form.print(scope, { SecretId: `${row.name}-${row.suffix}` })

const valueKey = ({ account, region }: Scope, { name, suffix }: SecretRow, version: string) =>
  key('secretsmanager', 'value', account, region, `${name}-${suffix}`, version)

type Reading = Pick<Call, 'unit'>

export const secrets = {
  get: ({ unit }: Reading, scope: Scope, name: string) => secretType.get(unit, scope, { name }),
  save: ({ unit }: Reading, scope: Scope, row: SecretRow): SecretRow => {
    unit.put(secretType.key(scope, row), row)
    return row
  },
  list: ({ unit }: Reading, scope: Scope) => secretType.list(unit, scope),
  /** With all its values. */
  remove: ({ unit }: Reading, scope: Scope, row: SecretRow): void => {
    for (const { id } of row.versions) unit.delete(valueKey(scope, row, id))
    unit.delete(secretType.key(scope, row))
  },
  value: ({ unit }: Reading, scope: Scope, row: SecretRow, version: string) =>
    unit.get<ValueRow>(valueKey(scope, row, version)),
  saveValue: ({ unit }: Reading, scope: Scope, row: SecretRow, version: string, value: ValueRow) =>
    unit.put(valueKey(scope, row, version), value),
  removeValue: ({ unit }: Reading, scope: Scope, row: SecretRow, version: string) =>
    unit.delete(valueKey(scope, row, version)),
}

/** A secret as an operation works on it: where it is stored, which may be in another account, and its row. */
export interface Secret {
  readonly scope: Scope
  readonly row: SecretRow
  readonly arn: string
}

export interface NamesSecret {
  readonly SecretId?: string | undefined
}

/** The name in a name or an ARN. */
export function nameIn(reference: string): string {
  const name = secretType.form.parse(reference)?.variables.SecretId
  return name === undefined ? reference : name.replace(/-[A-Za-z0-9]{6}$/, '')
}

export const secretNamed = secretType.named('SecretId')

interface TakesToken {
  readonly ClientRequestToken?: string | undefined
}

/** For operations that add a version: the caller chooses its ID. */
export function withToken<I, R>(target: Target<I, R>): Target<I & TakesToken, R> {
  return {
    find: (call, input) => {
      if (input.ClientRequestToken === undefined) throw refusals.token()
      return target.find(call, input)
    },
  }
}

/** Rejects a secret that is scheduled for deletion. */
export function alive({ row }: Secret): void {
  if (row.deletion) throw refusals.markedForDeletion()
}

/** Rejects a replica: only its primary can be changed. */
export function primary({ row, scope }: Secret): void {
  if (row.primaryRegion !== undefined && row.primaryRegion !== scope.region) throw refusals.replica()
}
