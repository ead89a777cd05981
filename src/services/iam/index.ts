/** IAM: users, groups, roles, policies and credentials of accounts. */
import { accountKeys } from '../../kernel/ports/account-keys.ts'
import { accounts } from '../../kernel/ports/accounts.ts'
import { bootstrap } from '../../kernel/ports/bootstrap.ts'
import { identity } from '../../kernel/ports/identity.ts'
import { instanceProfiles } from '../../kernel/ports/instance-profiles.ts'
import { provide } from '../../kernel/ports/port.ts'
import { reservedRoles } from '../../kernel/ports/reserved-roles.ts'
import { serviceLinkedRoles } from '../../kernel/ports/service-linked-roles.ts'
import { signInIdentities } from '../../kernel/ports/sign-in-identities.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import { acceptsSession } from './accepted-sessions.ts'
import * as account from './account/account.ts'
import { accountsPort } from './account/accounts.ts'
import { bootstrapPort } from './account/bootstrap.ts'
import * as rootFeatures from './account/root-features.ts'
import { absentKeys, conditionKeys } from './conditions.ts'
import * as accessKeys from './credentials/access-keys.ts'
import * as loginProfiles from './credentials/login-profiles.ts'
import * as mfa from './credentials/mfa.ts'
import * as passwordPolicy from './credentials/password-policy.ts'
import * as serverCertificates from './credentials/server-certificates.ts'
import * as serviceCredentials from './credentials/service-credentials.ts'
import * as signingCertificates from './credentials/signing-certificates.ts'
import * as sshKeys from './credentials/ssh-keys.ts'
import { identityPort } from './identities.ts'
import { invalidInput } from './invalid-input.ts'
import * as boundaries from './policies/boundaries.ts'
import * as holders from './policies/identity-policies.ts'
import * as policies from './policies/policies.ts'
import * as policyVersions from './policies/policy-versions.ts'
import * as oidcProviders from './providers/oidc-providers.ts'
import * as outboundFederation from './providers/outbound-federation.ts'
import * as samlProviders from './providers/saml-providers.ts'
import { forgetReportJob, reportJob } from './reports/access-reports.ts'
import * as accountDetails from './reports/account-details.ts'
import * as credentialReport from './reports/credential-report.ts'
import * as grantedServices from './reports/granted-services.ts'
import * as lastAccessed from './reports/last-accessed.ts'
import * as organizationsAccess from './reports/organizations-access.ts'
import * as profiles from './roles/instance-profiles.ts'
import { instanceProfilesPort } from './roles/instance-profiles-port.ts'
import { reservedRolesPort } from './roles/reserved-roles.ts'
import * as roles from './roles/roles.ts'
import * as linkedRoles from './roles/service-linked-roles.ts'
import { signInIdentitiesPort } from './sign-in.ts'
import * as simulation from './simulation/simulation.ts'
import * as tagging from './tagging.ts'
import * as groups from './users/groups.ts'
import * as users from './users/users.ts'
import { iam as words } from './words.ts'

export const iam = words.service({
  invalidInput,
  operations: operationsOf(
    accessKeys,
    account,
    accountDetails,
    boundaries,
    credentialReport,
    grantedServices,
    groups,
    holders,
    profiles,
    lastAccessed,
    loginProfiles,
    mfa,
    oidcProviders,
    organizationsAccess,
    outboundFederation,
    passwordPolicy,
    policies,
    policyVersions,
    roles,
    rootFeatures,
    samlProviders,
    serverCertificates,
    serviceCredentials,
    linkedRoles,
    signingCertificates,
    simulation,
    sshKeys,
    tagging,
    users,
  ),
  conditionKeys,
  absentKeys,
  traits: { acceptsSession },
  documents: outboundFederation.issuerDocuments,
  jobs: {
    'iam.access-report': reportJob,
    'iam.forget-access-report': forgetReportJob,
  },
  needs: [accountKeys],
  open: ({ store, vault, clock, use }) => {
    const identities = identityPort(store, vault, clock)
    return {
      provides: [
        provide(identity, identities),
        provide(
          accounts,
          accountsPort((id) => use(accountKeys).prepare(id)),
        ),
        provide(bootstrap, bootstrapPort(vault)),
        provide(instanceProfiles, instanceProfilesPort),
        provide(signInIdentities, signInIdentitiesPort(identities)),
        provide(reservedRoles, reservedRolesPort),
        provide(serviceLinkedRoles, linkedRoles.serviceLinkedRolesPort),
      ],
      flush: () => identities.flushUses(),
      close: () => identities.close(),
    }
  },
})
