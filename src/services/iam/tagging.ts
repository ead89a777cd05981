/** Tags on IAM's resources; the providers' are in their own files. */
import { mfaDevice } from './credentials/mfa.ts'
import { serverCertificate } from './credentials/server-certificates.ts'
import { type ManagedPolicyRow, managedPolicy, refuseAws } from './policies/policies.ts'
import { instanceProfile, role, user } from './resources.ts'
import { protectReserved } from './roles/service-linked.ts'
import { listedTags } from './tags.ts'
import { iam } from './words.ts'

const listed = listedTags

export const userTagging = iam.tagging(user, {
  tag: 'TagUser',
  untag: 'UntagUser',
  list: 'ListUserTags',
  resource: 'UserName',
  listed,
})

/** Service-linked roles, too: https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html */
export const roleTagging = iam.tagging(role, {
  tag: 'TagRole',
  untag: 'UntagRole',
  list: 'ListRoleTags',
  resource: 'RoleName',
  listed,
  guard: (_call, row) => protectReserved(row),
})

export const policyTagging = iam.tagging(managedPolicy, {
  tag: 'TagPolicy',
  untag: 'UntagPolicy',
  list: 'ListPolicyTags',
  resource: 'PolicyArn',
  listed,
  guard: (call, row: ManagedPolicyRow, input) => refuseAws(call, row, input.PolicyArn),
})

export const instanceProfileTagging = iam.tagging(instanceProfile, {
  tag: 'TagInstanceProfile',
  untag: 'UntagInstanceProfile',
  list: 'ListInstanceProfileTags',
  resource: 'InstanceProfileName',
  listed,
})

export const mfaDeviceTagging = iam.tagging(mfaDevice, {
  tag: 'TagMFADevice',
  untag: 'UntagMFADevice',
  list: 'ListMFADeviceTags',
  resource: 'SerialNumber',
  listed,
})

export const serverCertificateTagging = iam.tagging(serverCertificate, {
  tag: 'TagServerCertificate',
  untag: 'UntagServerCertificate',
  list: 'ListServerCertificateTags',
  resource: 'ServerCertificateName',
  listed,
})
