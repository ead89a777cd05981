/** The parts of a finding that follow from a flow and its ends. */
import { flowAction, flowResource, remoteOf } from '../finding.ts'
import type { ConnectionEnds } from '../flow-ends.ts'
import type { Detection, Lookups } from '../rule.ts'
import type { FindingAction, FlowEvent } from '../types.ts'

export const flowParts = (
  event: FlowEvent,
  ends: ConnectionEnds,
  lookups: Lookups,
): Required<Pick<Detection, 'action' | 'resource'>> => ({
  action: flowAction(event, ends, lookups),
  resource: flowResource(event, ends.localAddress, ends.instanceId),
})

export const probeOf = (event: FlowEvent, ends: ConnectionEnds, lookups: Lookups): FindingAction => ({
  actionType: 'PORT_PROBE',
  blocked: !event.accepted,
  probes: [
    {
      localAddress: ends.localAddress,
      localPort: ends.localPort,
      remote: remoteOf(lookups, ends.remoteAddress, ends.remotePort),
    },
  ],
})
