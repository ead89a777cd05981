/** GuardDuty: findings about what accounts do, detected in the audit log as it is written. */
import { readGeographyFiles } from '../../kernel/addresses/geography-files.ts'
import { forgetExpired } from '../../kernel/jobs/expiring-rows.ts'
import { RESOLVER } from '../../kernel/planes/observed-queries.ts'
import { detectionSources } from '../../kernel/ports/detection-sources.ts'
import { geography } from '../../kernel/ports/geography.ts'
import { provide } from '../../kernel/ports/port.ts'
import { serviceLinkedRoleUse } from '../../kernel/ports/service-linked-roles.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import type { Violation } from '../../wire/constraints.ts'
import { readAlertTargets } from './alerts.ts'
import { FORGET_TOKENS } from './client-tokens.ts'
import * as coverage from './coverage.ts'
import { verification } from './destination-lifecycle.ts'
import * as destinations from './destinations.ts'
import * as detectors from './detectors.ts'
import { badRequest, guardduty as words } from './faults.ts'
import * as filters from './filters.ts'
import { SWEEP, sweepJob } from './finding-rows.ts'
import * as findings from './findings.ts'
import { EXPORT, exportJob } from './findings-out.ts'
import { DetectionFollower } from './follower.ts'

import * as invitations from './invitations.ts'
import { ACTIVATE, activationJob, FORGET_LIST } from './list-activation.ts'
import * as lists from './lists.ts'
import * as malware from './malware.ts'
import * as members from './members.ts'
import { detectionSourcesPort } from './network-events.ts'
import { readRuleFiles } from './operator-rules.ts'
import * as organization from './organization.ts'
import { RECORD_QUERIES, recordQueries, takeQueries } from './query-records.ts'
import { detectorsOf, PRINCIPAL } from './resources.ts'
import * as sampleFindings from './sample-findings.ts'
import * as statistics from './statistics.ts'
import * as tagging from './tagging.ts'
import * as usage from './usage.ts'

export const guardduty = words.service({
  operations: operationsOf(
    detectors,
    findings,
    statistics,
    sampleFindings,
    filters,
    lists,
    destinations,
    members,
    invitations,
    organization,
    coverage,
    usage,
    malware,
    tagging,
  ),
  invalidInput: ([violation]: readonly Violation[]) =>
    violation &&
    badRequest(
      `The request is rejected because an invalid or out-of-range value is specified as an input parameter. ${violation.text}`,
    ),
  jobs: {
    ...verification.jobs,
    [FORGET_TOKENS]: forgetExpired,
    [SWEEP]: sweepJob,
    [EXPORT]: exportJob,
    [ACTIVATE]: activationJob,
    [FORGET_LIST]: forgetExpired,
    [RECORD_QUERIES]: recordQueries,
  },
  planeRecords: { [RESOLVER]: takeQueries },
  open: (context) => {
    readAlertTargets(process.env['MERLON_FINDING_ALERTS'])
    const locate = readGeographyFiles(process.env['MERLON_GEOGRAPHY'])
    const follower = new DetectionFollower(context, {
      ...(locate && { geography: locate }),
      operatorRules: readRuleFiles(process.env['MERLON_DETECTION_RULES']),
    })
    return {
      provides: [
        provide(detectionSources, detectionSourcesPort),
        provide(geography, { locate: (address) => locate?.(address) }),
        provide(serviceLinkedRoleUse(PRINCIPAL), { resources: detectorsOf }),
      ],
      start: () => follower.start(),
      close: () => follower.stop(),
    }
  },
})
