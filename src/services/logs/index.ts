/** CloudWatch Logs: log groups, their streams and events, and who may write to them. */
import { logDelivery } from '../../kernel/ports/log-delivery.ts'
import { provide } from '../../kernel/ports/port.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import { ERASE_GROUP, ERASE_STREAM, EXPIRE, eraseGroup, eraseStream, expire } from './deletion.ts'
import { logDeliveryPort } from './delivery.ts'
import { logs as words } from './faults.ts'
import * as events from './get-events.ts'
import * as groups from './log-groups.ts'
import * as streams from './log-streams.ts'
import * as putEvents from './put-events.ts'
import * as resourcePolicies from './resource-policies.ts'
import * as retention from './retention.ts'
import * as tagging from './tagging.ts'

export const logs = words.service({
  operations: operationsOf(groups, streams, putEvents, events, retention, resourcePolicies, tagging),
  jobs: { [ERASE_GROUP]: eraseGroup, [ERASE_STREAM]: eraseStream, [EXPIRE]: expire },
  open: () => ({ provides: [provide(logDelivery, logDeliveryPort)] }),
  traits: {
    // What is logged is not the audit log's.
    eventNames: {
      parameters: {},
      left: ['logEvents', 'logEventMessages'],
      silent: ['FilterLogEvents', 'GetLogEvents', 'PutLogEvents', 'TestMetricFilter'],
    },
  },
})
