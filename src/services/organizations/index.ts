/** Organizations: many accounts under one roof, and the policies that bind them. */
import type { Service } from '../../kernel/service.ts'
import {
  closeAccount,
  createAccount,
  describeAccount,
  describeCreateAccountStatus,
  leaveOrganization,
  listAccounts,
  listAccountsForParent,
  listCreateAccountStatus,
  moveAccount,
  removeAccountFromOrganization,
} from './accounts.ts'
import {
  acceptHandshake,
  cancelHandshake,
  declineHandshake,
  describeHandshake,
  enableAllFeatures,
  inviteAccountToOrganization,
  listHandshakesForAccount,
  listHandshakesForOrganization,
} from './agreement.ts'
import { attachPolicy, detachPolicy, listPoliciesForTarget, listTargetsForPolicy } from './attachments.ts'
import { deleteResourcePolicy, describeResourcePolicy, putResourcePolicy } from './delegation.ts'
import {
  describeEffectivePolicy,
  listAccountsWithInvalidEffectivePolicy,
  listEffectivePolicyValidationErrors,
} from './effective-policies.ts'
import { disablePolicyType, enablePolicyType } from './enabled-types.ts'
import { invalidInput } from './invalid-input.ts'
import { createOrganization, deleteOrganization, describeOrganization } from './lifecycle.ts'
import { createPolicy, deletePolicy, describePolicy, listPolicies, updatePolicy } from './policies.ts'
import { organizations as words } from './resources.ts'
import {
  deregisterDelegatedAdministrator,
  disableAwsServiceAccess,
  enableAwsServiceAccess,
  listAwsServiceAccess,
  listDelegatedAdministrators,
  listDelegatedServicesForAccount,
  registerDelegatedAdministrator,
} from './service-access.ts'
import { listTagsForResource, tagResource, untagResource } from './tagging.ts'
import {
  createOrganizationalUnit,
  deleteOrganizationalUnit,
  describeOrganizationalUnit,
  listChildren,
  listOrganizationalUnitsForParent,
  listParents,
  listRoots,
  updateOrganizationalUnit,
} from './tree.ts'

export const organizations: Service = {
  api: words.api,
  invalidInput,
  operations: [
    // the organisation
    createOrganization,
    describeOrganization,
    deleteOrganization,
    // the tree
    listRoots,
    createOrganizationalUnit,
    describeOrganizationalUnit,
    updateOrganizationalUnit,
    deleteOrganizationalUnit,
    listOrganizationalUnitsForParent,
    listChildren,
    listParents,
    // accounts
    createAccount,
    describeCreateAccountStatus,
    listCreateAccountStatus,
    describeAccount,
    listAccounts,
    listAccountsForParent,
    moveAccount,
    closeAccount,
    removeAccountFromOrganization,
    leaveOrganization,
    // invitations, and what else accounts agree on
    inviteAccountToOrganization,
    enableAllFeatures,
    acceptHandshake,
    declineHandshake,
    cancelHandshake,
    describeHandshake,
    listHandshakesForAccount,
    listHandshakesForOrganization,
    // policies
    createPolicy,
    describePolicy,
    updatePolicy,
    deletePolicy,
    listPolicies,
    enablePolicyType,
    disablePolicyType,
    attachPolicy,
    detachPolicy,
    listPoliciesForTarget,
    listTargetsForPolicy,
    describeEffectivePolicy,
    listEffectivePolicyValidationErrors,
    listAccountsWithInvalidEffectivePolicy,
    // delegation
    enableAwsServiceAccess,
    disableAwsServiceAccess,
    listAwsServiceAccess,
    registerDelegatedAdministrator,
    deregisterDelegatedAdministrator,
    listDelegatedAdministrators,
    listDelegatedServicesForAccount,
    putResourcePolicy,
    describeResourcePolicy,
    deleteResourcePolicy,
    // tags
    tagResource,
    untagResource,
    listTagsForResource,
  ],
}
