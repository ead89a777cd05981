/**
 * What an organization lets its managers do with the root users of its members: switched on and off for all at once.
 */
import type { Call } from '../../../kernel/gate/call.ts'
import type { Membership, RootFeature } from '../../../kernel/ports/ports.ts'
import { anything } from '../../../kernel/resource/target.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { key } from '../../../store/store.ts'
import { iam } from '../words.ts'

const SERVICE = 'iam.amazonaws.com'

interface FeaturesRow {
  readonly enabled: readonly RootFeature[]
}

const featuresKey = (organization: string) => key('iam', 'root-features', organization)

export async function rootFeatures(reader: Reader, organization: string): Promise<readonly RootFeature[]> {
  return (await reader.get<FeaturesRow>(featuresKey(organization)))?.enabled ?? []
}

/** The caller's organization, when its account may manage it in matters of IAM. */
async function managed(call: Call, alone = false): Promise<Membership> {
  const membership = await call.ports.organizations.membership(call.unit, call.account)
  if (!membership) {
    throw iam.fail('OrganizationNotFoundException', 'The account is not a member of an organization.')
  }
  const manages = call.account === membership.management
  if (!manages && !membership.administers.includes(SERVICE)) {
    throw iam.fail(
      'AccountNotManagementOrDelegatedAdministratorException',
      'The account is neither the management account nor a delegated administrator of its organization.',
    )
  }
  if (alone && !manages) {
    throw iam.fail('CallerIsNotManagementAccountException', 'Only the management account may change this.')
  }
  if (!membership.allFeatures) {
    throw iam.fail('OrganizationNotInAllFeaturesModeException', 'The organization has not enabled all features.')
  }
  if (!membership.trusted.includes(SERVICE)) {
    throw iam.fail(
      'ServiceAccessNotEnabledException',
      `Enable trusted access for ${SERVICE} in the organization first.`,
    )
  }
  return membership
}

const shown = (OrganizationId: string, enabled: readonly RootFeature[]) => ({
  OrganizationId,
  EnabledFeatures: [...enabled],
})

type Switch =
  | 'EnableOrganizationsRootCredentialsManagement'
  | 'EnableOrganizationsRootSessions'
  | 'DisableOrganizationsRootCredentialsManagement'
  | 'DisableOrganizationsRootSessions'

const switching = (name: Switch, feature: RootFeature, on: boolean) =>
  iam
    .operation(name)
    .on(anything)
    .run(async (call) => {
      const { id } = await managed(call, true)
      const others = (await rootFeatures(call.unit, id)).filter((each) => each !== feature)
      const enabled = on ? [...others, feature].sort() : others
      call.unit.put(featuresKey(id), { enabled } satisfies FeaturesRow)
      return shown(id, enabled)
    })

export const rootFeatureOperations = [
  switching('EnableOrganizationsRootCredentialsManagement', 'RootCredentialsManagement', true),
  switching('DisableOrganizationsRootCredentialsManagement', 'RootCredentialsManagement', false),
  switching('EnableOrganizationsRootSessions', 'RootSessions', true),
  switching('DisableOrganizationsRootSessions', 'RootSessions', false),
]

export const listOrganizationsFeatures = iam
  .operation('ListOrganizationsFeatures')
  .on(anything)
  .run(async (call) => {
    const { id } = await managed(call)
    return shown(id, await rootFeatures(call.unit, id))
  })
