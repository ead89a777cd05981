/**
 * A rotation in progress: a row that says which step of which version comes next, and a job that does it. The row is
 * committed before each step, so that a node that dies leaves nothing that another cannot continue with the same token.
 */
import { randomUUID, timingSafeEqual } from 'node:crypto'
import type { Call, Scope } from '../../kernel/gate/call.ts'
import { cancelJob, scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, key, type Unit } from '../../store/store.ts'
import { eventOf } from './events.ts'
import { CURRENT, holder, moved, PENDING } from './labels.ts'
import {
  arnOf,
  invalidRequest,
  type Secret,
  type SecretRow,
  secrets,
  secretType,
  type VersionMeta,
} from './resources.ts'
import { nextRotation } from './rotation-rules.ts'
import { invokeStep, type Step } from './steps.ts'

/** As AWS runs them, in order. */
const STEPS = {
  all: ['createSecret', 'setSecret', 'testSecret', 'finishSecret'],
  /** Rules changed without rotating at once: AWS only looks whether the present value would pass, see {@link tried}. */
  test: ['testSecret'],
} as const satisfies Record<string, readonly Step[]>

interface Attempt {
  readonly token: string
  readonly steps: keyof typeof STEPS
  readonly step: number
  /** Failures so far. */
  readonly failures: number
  readonly error?: string
  /** Proves that a value which is put comes from the function this rotation runs. */
  readonly rotationToken: string
  readonly job: Key
}

interface Payload {
  readonly partition: string
  readonly account: string
  readonly region: string
  readonly name: string
  readonly suffix: string
}

const MINUTE_MS = 60_000
/** Five tries within a day; then the rotation is abandoned until the next one is due. */
const RETRY_MS = [1, 10, 60, 360].map((minutes) => minutes * MINUTE_MS)

const attemptKey = ({ account, region }: Scope, { name, suffix }: Pick<SecretRow, 'name' | 'suffix'>) =>
  key('secretsmanager', 'rotating', account, region, `${name}-${suffix}`)

export function currentAttempt(unit: Unit, scope: Scope, row: SecretRow): Promise<Attempt | undefined> {
  return unit.get<Attempt>(attemptKey(scope, row))
}

/**
 * A trial tests the current value: the function finds it as the pending one. Returns the version that is under test.
 */
export async function tried(unit: Unit, scope: Scope, row: SecretRow, id: string): Promise<VersionMeta | undefined> {
  const attempt = await currentAttempt(unit, scope, row)
  return attempt?.steps === 'test' && attempt.token === id ? holder(row.versions, CURRENT) : undefined
}

export async function forgetAttempt(unit: Unit, scope: Scope, row: SecretRow): Promise<void> {
  const attempt = await currentAttempt(unit, scope, row)
  if (!attempt) return
  cancelJob(unit, attempt.job)
  unit.delete(attemptKey(scope, row))
}

/**
 * AWS: the function gets a token with each step, and "Secrets Manager validates the identity using the token" of a put
 * that comes by an assumed role or from another account. A token must be that of the rotation in progress; callers of
 * other accounts need one for the version that rotates.
 */
export async function checkRotationToken(call: Call, secret: Secret, version: string, given?: string): Promise<void> {
  const { scope, row } = secret
  if (given === undefined && call.account === scope.account) return
  const attempt = await currentAttempt(call.unit, scope, row)
  if (given === undefined) {
    if (attempt?.token !== version) return
    throw invalidRequest('A RotationToken is required to put a value for a rotation from another AWS account.')
  }
  const [shown, expected] = [given, attempt?.rotationToken ?? ''].map((text) => Buffer.from(text))
  if (shown!.length !== expected!.length || !timingSafeEqual(shown!, expected!))
    throw invalidRequest("The RotationToken isn't that of a rotation in progress of this secret.")
}

const payloadOf = ({ partition, account, region }: Scope, { name, suffix }: SecretRow): Payload => ({
  partition,
  account,
  region,
  name,
  suffix,
})

/** Sets the time of the next rotation by its rules, and the job that begins it. Not yet saved. */
export function scheduled(unit: Unit, scope: Scope, row: SecretRow, after: number): SecretRow {
  const { rotation } = row
  if (!rotation?.enabled) return row
  if (rotation.due !== undefined) cancelJob(unit, rotation.due)
  const { due: _due, nextAt: _nextAt, ...kept } = rotation
  const nextAt = nextRotation(rotation.rules, after)
  if (nextAt === undefined) return { ...row, rotation: kept }
  const id = `${arnOf(scope, row)} due`
  const due = scheduleJob(unit, {
    id,
    kind: 'secretsmanager.rotation-due',
    dueAt: nextAt,
    payload: payloadOf(scope, row),
  })
  return { ...row, rotation: { ...kept, nextAt, due } }
}

/** A value put by hand counts as a rotation, where rotations come so many days after the last. */
export async function postponed(call: Pick<Call, 'unit' | 'now'>, secret: Secret): Promise<Secret> {
  const { scope, row } = secret
  const byDays = row.rotation?.rules.AutomaticallyAfterDays !== undefined
  if (!byDays || (await currentAttempt(call.unit, scope, row))) return secret
  return { ...secret, row: scheduled(call.unit, scope, row, call.now) }
}

interface Begin {
  readonly token: string
  readonly steps: keyof typeof STEPS
  readonly now: number
}

/** Makes the version that is to come, without a value yet, and the job of the first step. Saves the row. */
export async function begun(unit: Unit, scope: Scope, row: SecretRow, { token, steps, now }: Begin): Promise<void> {
  await forgetAttempt(unit, scope, row)
  const known = row.versions.some(({ id }) => id === token)
  const coming: VersionMeta = { id: token, stages: [], createdAt: now }
  const versions = moved(known ? row.versions : [...row.versions, coming], PENDING, token)
  // What an earlier attempt left without a value and without a label is of no more use.
  const kept = versions.filter(
    ({ id, stages, kmsKeyArn }) => id === token || stages.length > 0 || kmsKeyArn !== undefined,
  )
  secrets.save({ unit }, scope, { ...row, versions: kept })
  const attempt = { token, steps, step: 0, failures: 0, rotationToken: randomUUID() }
  saveAttempt(unit, scope, row, attempt, now)
  if (steps === 'all') eventOf(unit, scope, row, 'RotationStarted', now)
}

function saveAttempt(unit: Unit, scope: Scope, row: SecretRow, attempt: Omit<Attempt, 'job'>, dueAt: number): void {
  const id = `${arnOf(scope, row)} ${attempt.token} ${attempt.step}`
  const job = scheduleJob(unit, { id, kind: 'secretsmanager.rotate', dueAt, payload: payloadOf(scope, row) })
  unit.put(attemptKey(scope, row), { ...attempt, job } satisfies Attempt)
}

/** The secret of a job, unless it is gone or another bears its name. */
async function secretOfJob(unit: Unit, payload: Payload): Promise<SecretRow | undefined> {
  const row = await secrets.get({ unit }, payload, payload.name)
  return row?.suffix === payload.suffix && !row.deletion ? row : undefined
}

/** A rotation falls due: start it, unless one is in progress. */
export const dueJob: ServiceJob<Payload> = {
  run: async (unit, { now }, payload) => {
    const row = await secretOfJob(unit, payload)
    if (!row?.rotation?.enabled) return
    const { due: _done, ...rotation } = row.rotation
    const next = scheduled(unit, payload, { ...row, rotation }, now)
    if (await currentAttempt(unit, payload, row)) secrets.save({ unit }, payload, next)
    else await begun(unit, payload, next, { token: randomUUID(), steps: 'all', now })
  },
}

interface Outcome {
  readonly attempt: Attempt
  /** Why it failed; undefined when it did not. */
  readonly error: string | undefined
}

/** One step: the function is invoked, then what came of it is written down. */
export const stepJob: ServiceJob<Payload, Outcome | undefined> = {
  effect: async (work, payload) => {
    const attempt = await work.reader.get<Attempt>(attemptKey(payload, payload))
    const row = attempt && (await secretType.get(work.reader, payload, { name: payload.name }))
    if (!attempt || !row?.rotation || row.deletion || row.suffix !== payload.suffix) return undefined
    const step = STEPS[attempt.steps][attempt.step]!
    const error = await invokeStep(work.actAs, payload, {
      functionArn: row.rotation.functionArn,
      secretArn: arnOf(payload, row),
      token: attempt.token,
      rotationToken: attempt.rotationToken,
      step,
    })
    return { attempt, error }
  },
  run: async (unit, { now }, payload, outcome) => {
    const row = await secretOfJob(unit, payload)
    const attempt = row && (await currentAttempt(unit, payload, row))
    // Cancelled, or begun anew, while the function ran.
    if (!row || !outcome || attempt?.token !== outcome.attempt.token || attempt.step !== outcome.attempt.step) return
    const last = attempt.step === STEPS[attempt.steps].length - 1
    const error = outcome.error ?? (last && attempt.steps === 'all' ? unfinished(row) : undefined)
    if (error !== undefined) return failed(unit, payload, row, attempt, error, now)
    if (!last) return saveAttempt(unit, payload, row, { ...attempt, step: attempt.step + 1 }, now)

    unit.delete(attemptKey(payload, row))
    if (attempt.steps === 'test') return void secrets.save({ unit }, payload, withoutTrial(row, attempt.token))
    const rotation = row.rotation && { ...row.rotation, lastRotatedAt: now }
    secrets.save({ unit }, payload, scheduled(unit, payload, { ...row, ...(rotation && { rotation }) }, now))
    eventOf(unit, payload, row, 'RotationSucceeded', now)
  },
}

/** AWS: a rotation has succeeded when AWSPENDING is on the current version, or nowhere. */
function unfinished({ versions }: SecretRow): string | undefined {
  const pending = holder(versions, PENDING)
  return pending && pending.id !== holder(versions, CURRENT)?.id
    ? 'The function ended without making the pending version the current one.'
    : undefined
}

/** A trial leaves nothing behind. */
function withoutTrial(row: SecretRow, token: string): SecretRow {
  const versions = row.versions.filter(({ id, kmsKeyArn }) => id !== token || kmsKeyArn !== undefined)
  return {
    ...row,
    versions: versions.map((version) =>
      version.id === token ? { ...version, stages: version.stages.filter((stage) => stage !== PENDING) } : version,
    ),
  }
}

function failed(unit: Unit, scope: Scope, row: SecretRow, attempt: Attempt, error: string, now: number): void {
  const failures = attempt.failures + 1
  const wait = RETRY_MS[attempt.failures]
  if (wait === undefined) {
    unit.delete(attemptKey(scope, row))
    if (attempt.steps === 'test') secrets.save({ unit }, scope, withoutTrial(row, attempt.token))
    eventOf(unit, scope, row, 'RotationAbandoned', now, error)
  } else {
    saveAttempt(unit, scope, row, { ...attempt, failures, error }, now + wait)
    eventOf(unit, scope, row, 'RotationFailed', now, error)
  }
}
