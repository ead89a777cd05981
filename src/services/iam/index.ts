/** IAM: who exists in an account, what they may do, and how they prove who they are. */
import { operationsOf } from '../../kernel/service/define-service.ts'
import {
  createAccessKey,
  deleteAccessKey,
  getAccessKeyLastUsed,
  listAccessKeys,
  updateAccessKey,
} from './access-keys.ts'
import { forgetReportJob, reportJob } from './access-reports.ts'
import {
  createAccountAlias,
  deleteAccountAlias,
  getAccountSummary,
  listAccountAliases,
  setSecurityTokenServicePreferences,
} from './account.ts'
import { getAccountAuthorizationDetails } from './account-details.ts'
import { boundaryOperations } from './boundaries.ts'
import { absentKeys, conditionKeys } from './conditions.ts'
import { generateCredentialReport, getCredentialReport } from './credential-report.ts'
import { listPoliciesGrantingServiceAccess } from './granted-services.ts'
import {
  addUserToGroup,
  createGroup,
  deleteGroup,
  getGroup,
  listGroups,
  listGroupsForUser,
  removeUserFromGroup,
  updateGroup,
} from './groups.ts'
import { holderOperations } from './holders.ts'
import {
  addRoleToInstanceProfile,
  createInstanceProfile,
  deleteInstanceProfile,
  getInstanceProfile,
  listInstanceProfiles,
  listInstanceProfilesForRole,
  removeRoleFromInstanceProfile,
} from './instance-profiles.ts'
import { invalidInput } from './invalid-input.ts'
import {
  generateServiceLastAccessedDetails,
  getServiceLastAccessedDetails,
  getServiceLastAccessedDetailsWithEntities,
} from './last-accessed.ts'
import {
  changePassword,
  createLoginProfile,
  deleteLoginProfile,
  getLoginProfile,
  updateLoginProfile,
} from './login-profiles.ts'
import {
  createVirtualMfaDevice,
  deactivateMfaDevice,
  deleteVirtualMfaDevice,
  enableMfaDevice,
  getMfaDevice,
  listMfaDevices,
  listVirtualMfaDevices,
  resyncMfaDevice,
} from './mfa.ts'
import * as oidcProviders from './oidc-providers.ts'
import { generateOrganizationsAccessReport, getOrganizationsAccessReport } from './organizations-access.ts'
import {
  disableOutboundWebIdentityFederation,
  enableOutboundWebIdentityFederation,
  getOutboundWebIdentityFederationInfo,
  issuerDocuments,
} from './outbound-federation.ts'
import {
  deleteAccountPasswordPolicy,
  getAccountPasswordPolicy,
  updateAccountPasswordPolicy,
} from './password-policy.ts'
import { createPolicy, deletePolicy, getPolicy, listEntitiesForPolicy, listPolicies } from './policies.ts'
import {
  createPolicyVersion,
  deletePolicyVersion,
  getPolicyVersion,
  listPolicyVersions,
  setDefaultPolicyVersion,
} from './policy-versions.ts'
import { iamWords as words } from './resources.ts'
import {
  createRole,
  deleteRole,
  getRole,
  listRoles,
  updateAssumeRolePolicy,
  updateRole,
  updateRoleDescription,
} from './roles.ts'
import { listOrganizationsFeatures, rootFeatureOperations } from './root-features.ts'
import * as samlProviders from './saml-providers.ts'
import {
  deleteServerCertificate,
  getServerCertificate,
  listServerCertificates,
  updateServerCertificate,
  uploadServerCertificate,
} from './server-certificates.ts'
import {
  createServiceSpecificCredential,
  deleteServiceSpecificCredential,
  listServiceSpecificCredentials,
  resetServiceSpecificCredential,
  updateServiceSpecificCredential,
} from './service-credentials.ts'
import {
  createServiceLinkedRole,
  deleteServiceLinkedRole,
  getServiceLinkedRoleDeletionStatus,
} from './service-linked-roles.ts'
import {
  deleteSigningCertificate,
  listSigningCertificates,
  updateSigningCertificate,
  uploadSigningCertificate,
} from './signing-certificates.ts'
import {
  getContextKeysForCustomPolicy,
  getContextKeysForPrincipalPolicy,
  simulateCustomPolicy,
  simulatePrincipalPolicy,
} from './simulation.ts'
import {
  deleteSshPublicKey,
  getSshPublicKey,
  listSshPublicKeys,
  updateSshPublicKey,
  uploadSshPublicKey,
} from './ssh-keys.ts'
import { taggingOperations } from './tagging.ts'
import { createUser, deleteUser, getUser, listUsers, updateUser } from './users.ts'

export const iam = words.service({
  invalidInput,
  operations: [
    // what is granted, and what was used
    listPoliciesGrantingServiceAccess,
    generateServiceLastAccessedDetails,
    getServiceLastAccessedDetails,
    getServiceLastAccessedDetailsWithEntities,
    generateOrganizationsAccessReport,
    getOrganizationsAccessReport,
    // tokens for services elsewhere
    enableOutboundWebIdentityFederation,
    disableOutboundWebIdentityFederation,
    getOutboundWebIdentityFederationInfo,
    // the organisation's root users
    ...rootFeatureOperations,
    listOrganizationsFeatures,
    // users
    createUser,
    getUser,
    listUsers,
    updateUser,
    deleteUser,
    // groups
    createGroup,
    getGroup,
    listGroups,
    listGroupsForUser,
    updateGroup,
    deleteGroup,
    addUserToGroup,
    removeUserFromGroup,
    // access keys
    createAccessKey,
    listAccessKeys,
    updateAccessKey,
    deleteAccessKey,
    getAccessKeyLastUsed,
    // policies
    createPolicy,
    getPolicy,
    listPolicies,
    deletePolicy,
    listEntitiesForPolicy,
    // policy versions
    createPolicyVersion,
    getPolicyVersion,
    listPolicyVersions,
    setDefaultPolicyVersion,
    deletePolicyVersion,
    // roles
    createRole,
    getRole,
    listRoles,
    updateRole,
    updateRoleDescription,
    updateAssumeRolePolicy,
    deleteRole,
    // instance profiles
    createInstanceProfile,
    getInstanceProfile,
    listInstanceProfiles,
    listInstanceProfilesForRole,
    deleteInstanceProfile,
    addRoleToInstanceProfile,
    removeRoleFromInstanceProfile,
    // service linked roles
    createServiceLinkedRole,
    deleteServiceLinkedRole,
    getServiceLinkedRoleDeletionStatus,
    // login profiles
    createLoginProfile,
    getLoginProfile,
    updateLoginProfile,
    deleteLoginProfile,
    changePassword,
    // password policy
    getAccountPasswordPolicy,
    updateAccountPasswordPolicy,
    deleteAccountPasswordPolicy,
    // mfa
    createVirtualMfaDevice,
    deleteVirtualMfaDevice,
    enableMfaDevice,
    resyncMfaDevice,
    deactivateMfaDevice,
    getMfaDevice,
    listMfaDevices,
    listVirtualMfaDevices,
    // signing certificates
    uploadSigningCertificate,
    listSigningCertificates,
    updateSigningCertificate,
    deleteSigningCertificate,
    // ssh keys
    uploadSshPublicKey,
    getSshPublicKey,
    listSshPublicKeys,
    updateSshPublicKey,
    deleteSshPublicKey,
    // server certificates
    uploadServerCertificate,
    getServerCertificate,
    listServerCertificates,
    updateServerCertificate,
    deleteServerCertificate,
    // service credentials
    createServiceSpecificCredential,
    listServiceSpecificCredentials,
    resetServiceSpecificCredential,
    updateServiceSpecificCredential,
    deleteServiceSpecificCredential,
    // identity providers
    ...operationsOf(samlProviders, oidcProviders),
    // account
    createAccountAlias,
    deleteAccountAlias,
    listAccountAliases,
    setSecurityTokenServicePreferences,
    getAccountSummary,
    // account details
    getAccountAuthorizationDetails,
    // credential report
    generateCredentialReport,
    getCredentialReport,
    // simulation
    simulateCustomPolicy,
    simulatePrincipalPolicy,
    getContextKeysForCustomPolicy,
    getContextKeysForPrincipalPolicy,
    // on users, groups and roles alike
    ...holderOperations,
    ...boundaryOperations,
    // on everything that has tags
    ...taggingOperations,
  ],
  conditionKeys,
  absentKeys,
  documents: issuerDocuments,
  jobs: {
    'iam.access-report': reportJob,
    'iam.forget-access-report': forgetReportJob,
  },
})
