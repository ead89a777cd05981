/** Versions of a managed policy: five at most, numbers never used twice, one the default. */
import { listItems } from '../lists.ts'
import { conflict, date, iam } from '../words.ts'
import { checkedPolicy, encodeDocument } from './documents.ts'
import { type ManagedPolicyRow, type PolicyVersion, policyNamed, refuseAws, withinPolicySize } from './policies.ts'

export const createPolicyVersion = iam
  .operation('CreatePolicyVersion')
  .on(policyNamed)
  .run((call, input, { row, arn, save }) => {
    refuseAws(call, row, arn)
    checkedPolicy(input.PolicyDocument, 'identity')
    withinPolicySize(call, input.PolicyDocument)
    const max = call.quotas['iam/VersionsPerPolicy'] ?? Number.POSITIVE_INFINITY
    if (row.versions.length >= max) {
      throw iam.fail(
        'LimitExceededException',
        `A managed policy can have up to ${max} versions. Before you create a new version, you must delete an existing version.`,
      )
    }

    const version: PolicyVersion = { id: `v${row.nextVersion}`, text: input.PolicyDocument, createdAt: call.now }
    const saved = save({
      ...row,
      versions: [...row.versions, version],
      nextVersion: row.nextVersion + 1,
      updatedAt: call.now,
      ...(input.SetAsDefault && { defaultVersion: version.id }),
    })
    return { PolicyVersion: shownVersion(saved, version) }
  })

export const getPolicyVersion = iam
  .operation('GetPolicyVersion')
  .on(policyNamed)
  .run((_call, input, { row, arn }) => {
    const version = versionOf(row, arn, input.VersionId)
    return { PolicyVersion: { Document: encodeDocument(version.text), ...shownVersion(row, version) } }
  })

export const listPolicyVersions = iam
  .operation('ListPolicyVersions')
  .on(policyNamed)
  .run(async (call, input, { row }) => {
    // Newest first.
    const order = (version: PolicyVersion) => String(1e9 - Number(version.id.slice(1)))
    const { items, rest } = await listItems(call, row.versions, order, input)
    return { Versions: items.map((version) => shownVersion(row, version)), ...rest }
  })

export const setDefaultPolicyVersion = iam
  .operation('SetDefaultPolicyVersion')
  .on(policyNamed)
  .run((call, input, { row, arn, save }) => {
    refuseAws(call, row, arn)
    versionOf(row, arn, input.VersionId)
    save({ ...row, defaultVersion: input.VersionId, updatedAt: call.now })
    return {}
  })

export const deletePolicyVersion = iam
  .operation('DeletePolicyVersion')
  .on(policyNamed)
  .run((call, input, { row, arn, save }) => {
    refuseAws(call, row, arn)
    versionOf(row, arn, input.VersionId)
    if (row.defaultVersion === input.VersionId) throw conflict('Cannot delete the default version of a policy.')
    save({ ...row, versions: row.versions.filter(({ id }) => id !== input.VersionId) })
    return {}
  })

function versionOf(row: ManagedPolicyRow, arn: string, id: string): PolicyVersion {
  const version = row.versions.find((candidate) => candidate.id === id)
  if (!version)
    throw iam.fail('NoSuchEntityException', `Policy ${arn} version ${id} does not exist or is not attachable.`)
  return version
}

function shownVersion(row: ManagedPolicyRow, version: PolicyVersion) {
  return {
    VersionId: version.id,
    IsDefaultVersion: version.id === row.defaultVersion,
    CreateDate: date(version.createdAt),
  }
}
