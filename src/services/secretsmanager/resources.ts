/** Secrets Manager's words: secrets, their versions, and how a request names one. */
import { arnIn, parseArn } from '../../kernel/arn.ts'
import type { Call, Scope } from '../../kernel/call.ts'
import { compilePinned, type Pins } from '../../kernel/pinned.ts'
import type { Acted, Found, Row, Target } from '../../kernel/resource.ts'
import type { CompiledPolicy } from '../../policy/index.ts'
import { type Entry, type Key, key, type RangeOptions, under } from '../../store/store.ts'
import type { Fault } from '../../wire/fault.ts'
import { secretsmanager } from './api.ts'
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
  /** The job that begins the next one; {@link cancelJob} takes it. */
  readonly due?: Key
}

export interface Replica {
  readonly region: string
  readonly kmsKeyId?: string | undefined
  readonly status: 'InSync' | 'Failed' | 'InProgress'
  readonly message?: string | undefined
}

/** As written, and by which ids it keeps the principals it names. */
export interface SecretPolicy {
  readonly text: string
  readonly pins: Pins
}

export interface SecretRow extends Row {
  readonly name: string
  /** Six letters or digits that end the ARN. A name used again gets others. */
  readonly suffix: string
  readonly type?: string | undefined
  readonly description?: string | undefined
  /** As the customer gave it; undefined is the account's own key for secrets. */
  readonly kmsKeyId?: string | undefined
  readonly policy?: SecretPolicy
  readonly versions: readonly VersionMeta[]
  readonly createdAt: number
  readonly changedAt: number
  /** UTC days, as AWS tells it. */
  readonly lastAccessedDay?: number
  /** Set while it waits for its deletion. */
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

const SERVICE = 'secretsmanager'
/** With the mark that AWS's services put into the names of the secrets they manage. */
const NAME = /^[A-Za-z0-9/_+=.@!-]+$/
const TYPE = 'AWS::SecretsManager::Secret'

export function arnOf(scope: Scope, { name, suffix }: Pick<SecretRow, 'name' | 'suffix'>): string {
  return arnIn(scope, SERVICE, `secret:${name}-${suffix}`)
}

const secretKey = ({ account, region }: Scope, name: string) => key(SERVICE, 'secret', account, region, name)
const valueKey = ({ account, region }: Scope, { name, suffix }: SecretRow, version: string) =>
  key(SERVICE, 'value', account, region, `${name}-${suffix}`, version)

type Reading = Pick<Call, 'unit'>

export const secrets = {
  key: secretKey,
  get: ({ unit }: Reading, scope: Scope, name: string) => unit.get<SecretRow>(secretKey(scope, name)),
  save: ({ unit }: Reading, scope: Scope, row: SecretRow): SecretRow => {
    unit.put(secretKey(scope, row.name), row)
    return row
  },
  list: ({ unit }: Reading, scope: Scope, options?: RangeOptions): Promise<readonly Entry<SecretRow>[]> =>
    unit.range<SecretRow>(under(SERVICE, 'secret', scope.account, scope.region), options),
  /** With everything it held. */
  remove: ({ unit }: Reading, scope: Scope, row: SecretRow): void => {
    for (const { id } of row.versions) unit.delete(valueKey(scope, row, id))
    unit.delete(secretKey(scope, row.name))
  },
  value: ({ unit }: Reading, scope: Scope, row: SecretRow, version: string) =>
    unit.get<ValueRow>(valueKey(scope, row, version)),
  saveValue: ({ unit }: Reading, scope: Scope, row: SecretRow, version: string, value: ValueRow) =>
    unit.put(valueKey(scope, row, version), value),
  removeValue: ({ unit }: Reading, scope: Scope, row: SecretRow, version: string) =>
    unit.delete(valueKey(scope, row, version)),
}

export const notFound = (): Fault =>
  secretsmanager.fail('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")

/** A secret as an operation works on it: where it lives, which may be another account's, and its row. */
export interface Secret {
  readonly scope: Scope
  readonly row: SecretRow
  readonly arn: string
}

export interface NamesSecret {
  readonly SecretId?: string | undefined
}

/**
 * By name, by ARN, or by an ARN without its last six characters. A name that ends like a whole ARN is tried as a whole
 * first. Another account's secret is named by its ARN only.
 */
export async function secretOf(call: Call, reference: string): Promise<Found<Secret>> {
  const arn = parseArn(reference)
  const resource = arn?.service === SERVICE && arn.resource.startsWith('secret:') ? arn.resource.slice(7) : undefined
  if (!NAME.test(resource ?? reference)) throw refusals.name()
  const scope: Scope =
    arn && resource !== undefined ? { partition: call.partition, region: arn.region, account: arn.account } : call
  const name = resource ?? reference
  const row = scope.region === call.region ? await found(call, scope, name, resource !== undefined) : undefined
  const isWhole = resource !== undefined && WHOLE.test(resource)
  const unknown = isWhole ? arnIn(scope, SERVICE, `secret:${name}`) : unknownArn(scope, name)
  const acted: Acted = row ? actedOn(scope, row) : { arn: unknown, type: TYPE, account: scope.account }
  // A denial does not add the last six characters, which would show that the secret exists.
  const requested = resource === undefined ? unknownArn(scope, name) : reference
  return { acted: { ...acted, requested }, row: row && { scope, row, arn: acted.arn }, missing: notFound }
}

/** Where the last six characters are unknown, they are open, as in policies that name secrets. */
const unknownArn = (scope: Scope, name: string): string => arnIn(scope, SERVICE, `secret:${name}-??????`)
/** A name with the six characters that end the ARN of a secret. */
const WHOLE = /^(.+)-([A-Za-z0-9]{6})$/s

/** The secret as authorisation sees it. */
export const actedOn = (scope: Scope, row: SecretRow): Acted => ({
  arn: arnOf(scope, row),
  type: TYPE,
  account: scope.account,
  tags: row.tags,
  ...(row.policy !== undefined && { policy: compiled(row.policy) }),
})

/** Without what an ARN has around it. */
export function nameIn(reference: string): string {
  const resource = parseArn(reference)?.resource ?? ''
  return resource.startsWith('secret:') ? resource.slice('secret:'.length).replace(/-[A-Za-z0-9]{6}$/, '') : reference
}

async function found(call: Call, scope: Scope, name: string, isArn: boolean): Promise<SecretRow | undefined> {
  const whole = isArn ? WHOLE.exec(name) : null
  const exact = whole && (await secrets.get(call, scope, whole[1]!))
  if (exact && exact.suffix === whole[2]) return exact
  return secrets.get(call, scope, name)
}

export const secretNamed: Target<NamesSecret, Secret> = {
  find: (call, { SecretId = '' }) => secretOf(call, SecretId),
}

interface TakesToken {
  readonly ClientRequestToken?: string | undefined
}

/** For operations that add a version: its id is the caller's to choose. */
export function withToken<I, R>(target: Target<I, R>): Target<I & TakesToken, R> {
  return {
    find: (call, input) => {
      if (input.ClientRequestToken === undefined) throw refusals.token()
      return target.find(call, input)
    },
  }
}

/** Refuses what waits for its deletion. */
export function alive({ row }: Secret): void {
  if (row.deletion) throw refusals.markedForDeletion()
}

/** Refuses a replica: its primary is where changes are made. */
export function primary({ row, scope }: Secret): void {
  if (row.primaryRegion !== undefined && row.primaryRegion !== scope.region) throw refusals.replica()
}

const POLICIES_MAX = 2_000
const policies = new Map<string, CompiledPolicy>()

function compiled({ text, pins }: SecretPolicy): CompiledPolicy {
  const known = JSON.stringify([text, pins])
  const held = policies.get(known)
  if (held) return held
  const policy = compilePinned(text, pins, { id: 'secret', kind: 'resource' })
  if (policies.size >= POLICIES_MAX) policies.clear()
  policies.set(known, policy)
  return policy
}
