/** Tags on IAM's resources; the providers' are in their own files. */
import type { Call } from '../../kernel/call.ts'
import type { Resource, Row, Target } from '../../kernel/resource.ts'
import type { LooseInput, Operation } from '../../kernel/service.ts'
import { withoutTags } from '../../kernel/tags.ts'
import { mfaDevice } from './mfa.ts'
import { type ManagedPolicyRow, managedPolicy, policyNamed, refuseAws } from './policies.ts'
import { iam, instanceProfile, role, user } from './resources.ts'
import { serverCertificate } from './server-certificates.ts'
import { listedTags, mergedTags } from './tags.ts'

interface Taggable {
  /** As the operations spell it: `TagUser`, `UntagUser`, `ListUserTags`. */
  readonly word: 'User' | 'Role' | 'Policy' | 'InstanceProfile' | 'MFADevice' | 'ServerCertificate'
  readonly member: string
  readonly target: Target<LooseInput, Row>
  readonly save: (call: Call, row: Row) => void
  /** Throws where what stands there may not be tagged. */
  readonly guard?: (call: Call, row: Row, input: LooseInput) => void
}

function taggable<R extends Row>(
  word: Taggable['word'],
  member: string,
  resource: Resource<R>,
  target: Target<LooseInput, R> = { find: (call, input) => resource.find(call, input[member]) },
): Taggable {
  return { word, member, target, save: (call, row) => void resource.save(call, row as R) }
}

/** Roles include service-linked ones: https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html */
const kinds: readonly Taggable[] = [
  taggable('User', 'UserName', user),
  taggable('Role', 'RoleName', role),
  {
    ...taggable('Policy', 'PolicyArn', managedPolicy, policyNamed('PolicyArn')),
    guard: (call, row, input) => refuseAws(call, row as ManagedPolicyRow, input.PolicyArn),
  },
  taggable('InstanceProfile', 'InstanceProfileName', instanceProfile),
  taggable('MFADevice', 'SerialNumber', mfaDevice),
  taggable('ServerCertificate', 'ServerCertificateName', serverCertificate),
]

export const taggingOperations: readonly Operation[] = kinds.flatMap(({ word, target, save, guard }) => [
  iam.loose(`Tag${word}`, target, (call, input, row) => {
    guard?.(call, row as Row, input)
    save(call, { ...(row as Row), tags: mergedTags((row as Row).tags, input.Tags) })
    return {}
  }),
  iam.loose(`Untag${word}`, target, (call, input, row) => {
    guard?.(call, row as Row, input)
    save(call, { ...(row as Row), tags: withoutTags((row as Row).tags, input.TagKeys) })
    return {}
  }),
  iam.loose(`List${word}Tags`, target, (call, input, row) => listedTags((row as Row).tags ?? {}, call, input)),
])
