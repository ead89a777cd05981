/** Services trusted to act in the accounts of an organization, and the accounts that administer them. */
import { isServicePrincipal } from '../../kernel/service/service-principals.ts'
import { namedAccount } from './accounts.ts'
import type { Organization } from './organization.ts'
import { listed } from './pages.ts'
import type { PolicyType } from './policy-types.ts'
import { arns, date, invalidInput, type MemberRow, organizations, violates } from './resources.ts'
import { ownOrganization } from './within.ts'

/** Types of policies that act through a service. Source: POLICY_TYPE_ENABLED_FOR_THIS_SERVICE of the API reference. */
const POLICY_TYPE_OF: Readonly<Record<string, PolicyType>> = {
  'securityhub.amazonaws.com': 'SECURITYHUB_POLICY',
  'inspector2.amazonaws.com': 'INSPECTOR_POLICY',
}

/**
 * How many accounts may administer a service, where it sets a limit.
 * Source: the services' pages of https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html
 */
const ADMINISTRATORS_MAX: Readonly<Record<string, number>> = {
  'access-analyzer.amazonaws.com': 1,
  'guardduty.amazonaws.com': 1,
  'sso.amazonaws.com': 1,
  'cloudtrail.amazonaws.com': 3,
  'member.org.stacksets.cloudformation.amazonaws.com': 5,
}

function refuseBilling({ row }: Organization): void {
  if (row.features === 'ALL') return
  throw violates(
    'ORGANIZATION_NOT_IN_ALL_FEATURES_MODE',
    'The operation needs an organization with all features enabled.',
  )
}

const PRINCIPAL = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$/

/** AWS publishes no list of the services that integrate: every service principal that may exist passes. */
function refuseUnrecognized(principal: string): void {
  if (PRINCIPAL.test(principal) && isServicePrincipal(principal)) return
  throw invalidInput('UNRECOGNIZED_SERVICE_PRINCIPAL', 'You specified an unrecognized service principal.')
}

export const enableAwsServiceAccess = organizations
  .operation('EnableAWSServiceAccess')
  .on(ownOrganization())
  .conditions((input) => ({ 'organizations:ServicePrincipal': input.ServicePrincipal }))
  .run((call, { ServicePrincipal }, { organization }) => {
    refuseBilling(organization)
    refuseUnrecognized(ServicePrincipal)
    const { trusted } = organization.row
    if (!(ServicePrincipal in trusted)) organization.change({ trusted: { ...trusted, [ServicePrincipal]: call.now } })
    return {}
  })

export const disableAwsServiceAccess = organizations
  .operation('DisableAWSServiceAccess')
  .on(ownOrganization())
  .conditions((input) => ({ 'organizations:ServicePrincipal': input.ServicePrincipal }))
  .run(async (_call, { ServicePrincipal }, { organization }) => {
    refuseUnrecognized(ServicePrincipal)
    const type = POLICY_TYPE_OF[ServicePrincipal]
    if (type && organization.row.enabledTypes.includes(type)) {
      throw violates('POLICY_TYPE_ENABLED_FOR_THIS_SERVICE', `Disable policies of type ${type} first.`)
    }
    const { [ServicePrincipal]: _gone, ...trusted } = organization.row.trusted
    organization.change({ trusted })
    for (const member of await organization.members()) {
      if (ServicePrincipal in member.administers) dismiss(organization, member, ServicePrincipal)
    }
    return {}
  })

export const listAwsServiceAccess = organizations
  .operation('ListAWSServiceAccessForOrganization')
  .on(ownOrganization('administrators'))
  .run(async (call, input, { organization }) => {
    const all = Object.entries(organization.row.trusted)
    const { items, rest } = await listed(call, all, ([name]) => name, input)
    return {
      EnabledServicePrincipals: items.map(([ServicePrincipal, since]) => ({
        ServicePrincipal,
        DateEnabled: date(since),
      })),
      ...rest,
    }
  })

export const registerDelegatedAdministrator = organizations
  .operation('RegisterDelegatedAdministrator')
  .on(namedAccount('management'))
  .conditions((input) => ({ 'organizations:ServicePrincipal': input.ServicePrincipal }))
  .run(async (call, { ServicePrincipal }, { organization, row }) => {
    refuseBilling(organization)
    refuseUnrecognized(ServicePrincipal)
    if (row.id === organization.row.management) {
      throw violates(
        'CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR',
        'The management account cannot be a delegated administrator.',
      )
    }
    if (row.state !== 'ACTIVE')
      throw violates('CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR', 'The account is suspended.')
    if (!(ServicePrincipal in organization.row.trusted)) {
      throw violates('SERVICE_ACCESS_NOT_ENABLED', 'Enable trusted access for the service first.')
    }
    if (ServicePrincipal in row.administers) {
      throw organizations.fail(
        'AccountAlreadyRegisteredException',
        'The provided account is already a delegated administrator for your organization.',
      )
    }
    const administrators = (await organization.members()).filter(({ administers }) => ServicePrincipal in administers)
    const max = ADMINISTRATORS_MAX[ServicePrincipal]
    if (max !== undefined && administrators.length >= max) {
      throw max === 1
        ? violates('DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE', 'The service has an administrator already.')
        : violates(
            'MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED',
            'The service has as many administrators as it may have.',
          )
    }
    organization.change()
    organization.saveMember({ ...row, administers: { ...row.administers, [ServicePrincipal]: call.now } })
    return {}
  })

export const deregisterDelegatedAdministrator = organizations
  .operation('DeregisterDelegatedAdministrator')
  .on(namedAccount('management'))
  .conditions((input) => ({ 'organizations:ServicePrincipal': input.ServicePrincipal }))
  .run((_call, { ServicePrincipal }, { organization, row }) => {
    refuseUnrecognized(ServicePrincipal)
    if (!(ServicePrincipal in row.administers)) throw notRegistered()
    organization.change()
    dismiss(organization, row, ServicePrincipal)
    return {}
  })

export const listDelegatedAdministrators = organizations
  .operation('ListDelegatedAdministrators')
  .on(ownOrganization('administrators'))
  .conditions((input) => ({ 'organizations:ServicePrincipal': input.ServicePrincipal }))
  .run(async (call, input, { organization }) => {
    if (input.ServicePrincipal !== undefined) refuseUnrecognized(input.ServicePrincipal)
    const all = (await organization.members()).filter(({ administers }) =>
      input.ServicePrincipal === undefined
        ? Object.keys(administers).length > 0
        : input.ServicePrincipal in administers,
    )
    const { items, rest } = await listed(call, all, ({ id }) => id, input)
    return {
      DelegatedAdministrators: items.map((row) => ({
        Id: row.id,
        Arn: arns.account(organization.row, row.id),
        Email: row.email,
        Name: row.name,
        Status: row.state,
        JoinedMethod: row.joined,
        JoinedTimestamp: date(row.joinedAt),
        DelegationEnabledDate: date(Math.min(...Object.values(row.administers))),
      })),
      ...rest,
    }
  })

export const listDelegatedServicesForAccount = organizations
  .operation('ListDelegatedServicesForAccount')
  .on(namedAccount('administrators'))
  .run(async (call, input, { row }) => {
    const all = Object.entries(row.administers)
    if (all.length === 0) throw notRegistered()
    const { items, rest } = await listed(call, all, ([name]) => name, input)
    return {
      DelegatedServices: items.map(([ServicePrincipal, since]) => ({
        ServicePrincipal,
        DelegationEnabledDate: date(since),
      })),
      ...rest,
    }
  })

function dismiss(organization: Organization, row: MemberRow, principal: string): void {
  const { [principal]: _gone, ...administers } = row.administers
  organization.saveMember({ ...row, administers })
}

function notRegistered() {
  return organizations.fail(
    'AccountNotRegisteredException',
    'The specified account is not a delegated administrator for this AWS service.',
  )
}
