/** AWS WAF: web ACLs, rule groups and sets, what they protect, and what gateways report about inspected requests. */
import { provide } from '../../kernel/ports/port.ts'
import { requestFilter } from '../../kernel/ports/request-filter.ts'
import { webAcls as webAclsToken } from '../../kernel/ports/web-acls.ts'
import type { ConditionKeyTable } from '../../kernel/resource/condition-keys.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as apiKeys from './api-keys.ts'
import * as associations from './associations.ts'
import { endpointResource } from './endpoint.ts'
import { wafv2 as words } from './faults.ts'
import * as ipSets from './ip-sets.ts'
import { DELIVER_LOGS, deliverLogs } from './log-delivery.ts'
import * as logging from './logging.ts'
import * as managedGroups from './managed-groups.ts'
import * as managedRuleSets from './managed-rule-sets.ts'
import * as permissionPolicies from './permission-policies.ts'
import { webAclsPort } from './published-web-acls.ts'
import * as rateKeys from './rate-keys.ts'
import * as regexPatternSets from './regex-pattern-sets.ts'
import { openRequestFilter } from './request-filter.ts'
import * as ruleGroups from './rule-groups.ts'
import * as sampledRequests from './sampled-requests.ts'
import * as tagging from './tagging.ts'
import { tokenSites } from './token-site.ts'
import * as webAcls from './web-acls.ts'

/** Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awswafv2.html */
const conditionKeys: ConditionKeyTable = {
  'wafv2:LogDestinationResource': ({ input }) => input.LoggingConfiguration?.LogDestinationConfigs?.[0],
  'wafv2:LogScope': ({ input }) => input.LoggingConfiguration?.LogScope ?? input.LogScope ?? 'CUSTOMER',
}

export const wafv2 = words.service({
  operations: operationsOf(
    webAcls,
    ruleGroups,
    ipSets,
    regexPatternSets,
    associations,
    logging,
    permissionPolicies,
    managedGroups,
    managedRuleSets,
    apiKeys,
    sampledRequests,
    rateKeys,
    tagging,
  ),
  conditionKeys,
  webAclResources: [endpointResource],
  sites: tokenSites,
  jobs: { [DELIVER_LOGS]: deliverLogs, [sampledRequests.FORGET_SAMPLES]: sampledRequests.forgetSamples },
  planeRecords: { gateway: (unit, batch) => webAclsPort.receive(unit, batch) },
  open: (context) => {
    const filter = openRequestFilter(context)
    return {
      provides: [provide(webAclsToken, webAclsPort), provide(requestFilter, filter)],
      start: () => filter.start(),
      flush: () => filter.flush(),
      close: () => filter.close(),
    }
  },
})
