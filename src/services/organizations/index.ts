/** Organizations: many accounts under one management account, and the policies that bind them. */
import { organizations as organizationsToken } from '../../kernel/ports/organizations.ts'
import { provide } from '../../kernel/ports/port.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as accounts from './accounts.ts'
import * as attachments from './attachments.ts'
import * as delegation from './delegation.ts'
import * as effectivePolicies from './effective-policies.ts'
import * as enabledTypes from './enabled-types.ts'
import * as handshakes from './handshake-operations.ts'
import { invalidInput } from './invalid-input.ts'
import * as lifecycle from './lifecycle.ts'
import * as policies from './policies.ts'
import { organizations as words } from './resources.ts'
import * as serviceAccess from './service-access.ts'
import { organizationPort } from './standing.ts'
import * as tagging from './tagging.ts'
import * as tree from './tree.ts'

export const organizations = words.service({
  invalidInput,
  operations: operationsOf(
    lifecycle,
    tree,
    accounts,
    handshakes,
    policies,
    enabledTypes,
    attachments,
    effectivePolicies,
    serviceAccess,
    delegation,
    tagging,
  ),
  open: ({ store }) => ({ provides: [provide(organizationsToken, organizationPort(store))] }),
})
