/** IAM: users, groups, roles, policies and credentials of accounts. */
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as accessKeys from './access-keys.ts'
import { forgetReportJob, reportJob } from './access-reports.ts'
import * as account from './account.ts'
import * as accountDetails from './account-details.ts'
import * as boundaries from './boundaries.ts'
import { absentKeys, conditionKeys } from './conditions.ts'
import * as credentialReport from './credential-report.ts'
import * as grantedServices from './granted-services.ts'
import * as groups from './groups.ts'
import * as holders from './holders.ts'
import * as instanceProfiles from './instance-profiles.ts'
import { invalidInput } from './invalid-input.ts'
import * as lastAccessed from './last-accessed.ts'
import * as loginProfiles from './login-profiles.ts'
import * as mfa from './mfa.ts'
import * as oidcProviders from './oidc-providers.ts'
import * as organizationsAccess from './organizations-access.ts'
import * as outboundFederation from './outbound-federation.ts'
import * as passwordPolicy from './password-policy.ts'
import * as policies from './policies.ts'
import * as policyVersions from './policy-versions.ts'
import * as roles from './roles.ts'
import * as rootFeatures from './root-features.ts'
import * as samlProviders from './saml-providers.ts'
import * as serverCertificates from './server-certificates.ts'
import * as serviceCredentials from './service-credentials.ts'
import * as serviceLinkedRoles from './service-linked-roles.ts'
import * as signingCertificates from './signing-certificates.ts'
import * as simulation from './simulation.ts'
import * as sshKeys from './ssh-keys.ts'
import * as tagging from './tagging.ts'
import * as users from './users.ts'
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
    instanceProfiles,
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
    serviceLinkedRoles,
    signingCertificates,
    simulation,
    sshKeys,
    tagging,
    users,
  ),
  conditionKeys,
  absentKeys,
  documents: outboundFederation.issuerDocuments,
  jobs: {
    'iam.access-report': reportJob,
    'iam.forget-access-report': forgetReportJob,
  },
})
