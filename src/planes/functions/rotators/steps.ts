/**
 * The four steps of a rotation, whatever is rotated. Every step may be repeated: a rotation that died half way heals at the
 * next try. Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_how.html
 */
import type { Builtin, BuiltinWorld } from '../builtin.ts'

/** What Secrets Manager invokes the function with. */
export interface Step {
  readonly SecretId: string
  readonly ClientRequestToken: string
  readonly Step: string
  readonly RotationToken?: string
}

/** One invocation, once it is known to be in order. */
export interface Turn {
  readonly world: BuiltinWorld
  readonly step: Step
  readonly stages: Readonly<Record<string, readonly string[]>>
}

/** What differs from one kind of secret to the next; the last step, moving AWSCURRENT, is the same for all. */
export interface Steps {
  create(turn: Turn): Promise<void>
  set(turn: Turn): Promise<void>
  test(turn: Turn): Promise<void>
}

type Members = Readonly<Record<string, unknown>>

export function inSteps({ create, set, test }: Steps): Builtin {
  const steps: Readonly<Record<string, (turn: Turn) => Promise<void>>> = {
    createSecret: create,
    setSecret: set,
    testSecret: test,
    finishSecret: finish,
  }
  return async (event, world) => {
    const step = stepOf(event)
    const described = await world.secretsmanager('DescribeSecret', { SecretId: step.SecretId })
    const stages = (described['VersionIdsToStages'] ?? {}) as Turn['stages']
    const own = stages[step.ClientRequestToken]
    if (described['RotationEnabled'] !== true) throw problem(step, 'rotation is not enabled')
    if (!own) throw problem(step, 'the version is not there')
    // Finished by an earlier try.
    if (own.includes('AWSCURRENT')) return null
    if (!own.includes('AWSPENDING')) throw problem(step, 'the version is not the pending one')
    const run = Object.hasOwn(steps, step.Step) ? steps[step.Step] : undefined
    if (!run) throw new Error(`There is no step ${step.Step}`)
    await run({ world, step, stages })
    return null
  }
}

async function finish({ world, step, stages }: Turn): Promise<void> {
  const current = Object.keys(stages).find((id) => stages[id]!.includes('AWSCURRENT'))
  await world.secretsmanager('UpdateSecretVersionStage', {
    SecretId: step.SecretId,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: step.ClientRequestToken,
    ...(current !== undefined && { RemoveFromVersionId: current }),
  })
}

/** The value under a label; undefined when there is none. */
export async function valueUnder({ world, step }: Turn, VersionStage: string): Promise<Members | undefined> {
  const pending = VersionStage === 'AWSPENDING' && { VersionId: step.ClientRequestToken }
  try {
    return jsonOf(
      step,
      await world.secretsmanager('GetSecretValue', { SecretId: step.SecretId, VersionStage, ...pending }),
    )
  } catch (error) {
    if ((error as { code?: string }).code === 'ResourceNotFoundException') return undefined
    throw error
  }
}

export async function putPending({ world, step }: Turn, value: Members): Promise<void> {
  await world.secretsmanager('PutSecretValue', {
    SecretId: step.SecretId,
    ClientRequestToken: step.ClientRequestToken,
    SecretString: JSON.stringify(value),
    VersionStages: ['AWSPENDING'],
    ...(step.RotationToken !== undefined && { RotationToken: step.RotationToken }),
  })
}

/** Of a response of GetSecretValue. The error never contains the value. */
export function jsonOf(step: Step, answer: Members): Members {
  try {
    const value: unknown = JSON.parse(String(answer['SecretString']))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
  } catch {
    // Reported below.
  }
  throw problem(step, 'the value is no JSON')
}

function stepOf(event: unknown): Step {
  const { SecretId, ClientRequestToken, Step: name } = (event ?? {}) as Partial<Step>
  if (!SecretId || !ClientRequestToken || !name) {
    throw new Error('This function is invoked by Secrets Manager: SecretId, ClientRequestToken and Step are needed.')
  }
  return event as Step
}

export const problem = ({ Step: step, SecretId }: Step, what: string): Error =>
  new Error(`${step} of ${SecretId}: ${what}`)
