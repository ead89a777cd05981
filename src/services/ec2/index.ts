/** EC2: the inventory of a network, and the machines in it as records. */
import { GATEWAY } from '../../kernel/planes/gateway-content.ts'
import { instanceMetadata as metadataPort } from '../../kernel/ports/instance-metadata.ts'
import { network } from '../../kernel/ports/network.ts'
import { provide } from '../../kernel/ports/port.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as accessScopes from './access-scopes.ts'
import { absentKeys, conditionKeys } from './conditions.ts'
import * as endpoints from './endpoints.ts'
import { deliverFlows } from './flow-delivery.ts'
import * as flowLogs from './flow-logs.ts'
import { DELIVER_FLOWS } from './flow-queue.ts'
import { RECORD_FLOWS, recordFlows, takeFlows } from './flow-records.ts'
import * as gateways from './gateways.ts'
import * as images from './images.ts'
import * as insights from './insights.ts'
import * as instanceAttributes from './instance-attributes.ts'
import * as instanceMetadata from './instance-metadata.ts'
import * as instanceStates from './instance-states.ts'
import * as instanceTypes from './instance-types.ts'
import * as instances from './instances.ts'
import * as interfaces from './interfaces.ts'
import { invalidInput } from './invalid-input.ts'
import { metadataService } from './metadata-service.ts'
import * as networkAcls from './network-acls.ts'
import { networkPort } from './network-port.ts'
import * as peering from './peering.ts'
import * as prefixLists from './prefix-lists.ts'
import * as routes from './routes.ts'
import * as securityGroupRules from './security-group-rules.ts'
import * as securityGroups from './security-groups.ts'
import * as settings from './settings.ts'
import * as subnets from './subnets.ts'
import * as tags from './tags.ts'
import * as vpcs from './vpcs.ts'
import { ec2 as words } from './words.ts'

export const ec2 = words.service({
  operations: operationsOf(
    vpcs,
    subnets,
    routes,
    gateways,
    interfaces,
    securityGroups,
    securityGroupRules,
    networkAcls,
    prefixLists,
    endpoints,
    peering,
    flowLogs,
    instances,
    instanceAttributes,
    instanceMetadata,
    instanceStates,
    instanceTypes,
    images,
    insights,
    accessScopes,
    tags,
    settings,
  ),
  conditionKeys,
  absentKeys,
  invalidInput,
  jobs: { [DELIVER_FLOWS]: deliverFlows, [RECORD_FLOWS]: recordFlows },
  planeRecords: { [GATEWAY]: takeFlows },
  open: (context) => ({
    provides: [
      provide(
        network,
        networkPort(() => context.clock.now()),
      ),
      provide(metadataPort, metadataService(context)),
    ],
  }),
})
