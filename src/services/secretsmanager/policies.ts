/** The resource policies of secrets. */
import type { Call } from '../../kernel/gate/call.ts'
import { pinPolicy, shownPolicy } from '../../kernel/resource/pinned.ts'
import type { ResolvedTarget, Target } from '../../kernel/resource/target.ts'
import { PolicyError, parsePolicy, publicStatements } from '../../policy/index.ts'
import { keys } from './conditions.ts'
import { saveEverywhere } from './replicas.ts'
import {
  alive,
  invalidParameter,
  type NamesSecret,
  primary,
  type Secret,
  type SecretPolicy,
  secretNamed,
  secretsmanager,
} from './resources.ts'

const LENGTH_MAX = 20_480

/** Rejects a document that is not a resource policy, and one that names a principal that does not exist. */
async function checked(call: Call, text: string): Promise<SecretPolicy> {
  if (text.length > LENGTH_MAX) throw invalidParameter(`A resource policy has at most ${LENGTH_MAX} characters.`)
  try {
    const { pins, missing } = await pinPolicy(call, text)
    if (missing.length === 0) return { text, pins }
    throw secretsmanager.fail(
      'MalformedPolicyDocumentException',
      'This resource policy contains an unsupported principal.',
    )
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw secretsmanager.fail(
      'MalformedPolicyDocumentException',
      `This resource policy contains an error: ${error.message}`,
    )
  }
}

export const putResourcePolicy = secretsmanager
  .operation('PutResourcePolicy')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, input, secret) => {
    alive(secret)
    primary(secret)
    const policy = await checked(call, input.ResourcePolicy)
    if (input.BlockPublicPolicy && isPublic(input.ResourcePolicy)) {
      throw secretsmanager.fail(
        'PublicPolicyException',
        'You cannot attach this resource policy: it grants public access.',
      )
    }
    const { row, arn } = secret
    await saveEverywhere(call, { ...secret, row: { ...row, policy } })
    return { ARN: arn, Name: row.name }
  })

export const getResourcePolicy = secretsmanager
  .operation('GetResourcePolicy')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, _input, secret) => {
    alive(secret)
    const { row, arn } = secret
    const ResourcePolicy = row.policy && (await shownPolicy(call, row.policy.text, row.policy.pins))
    return { ARN: arn, Name: row.name, ...(ResourcePolicy !== undefined && { ResourcePolicy }) }
  })

export const deleteResourcePolicy = secretsmanager
  .operation('DeleteResourcePolicy')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, _input, secret) => {
    alive(secret)
    primary(secret)
    const { policy: _gone, ...row } = secret.row
    await saveEverywhere(call, { ...secret, row })
    return { ARN: secret.arn, Name: row.name }
  })

const isPublic = (text: string) => publicStatements(parsePolicy(text, 'resource')).length > 0

/** The secret that the policy is for is optional. */
const perhapsNamed: Target<NamesSecret, Secret | undefined> = {
  find: (call, input) => (input.SecretId === undefined ? NO_SECRET : secretNamed.find(call, input)),
}
const NO_SECRET: ResolvedTarget<undefined> = { acted: undefined, row: undefined }

export const validateResourcePolicy = secretsmanager
  .operation('ValidateResourcePolicy')
  .on(perhapsNamed)
  .conditions(keys)
  .run(async (call, { ResourcePolicy: text }) => {
    await checked(call, text)
    const ValidationErrors = isPublic(text)
      ? [{ CheckName: 'PUBLIC_ACCESS', ErrorMessage: 'The policy grants public access.' }]
      : []
    return { PolicyValidationPassed: ValidationErrors.length === 0, ValidationErrors }
  })
