/** What provides log delivery: to log groups and to buckets, whichever a service's customer names. */
import type { LogDeliveryPort } from '../../kernel/ports/log-delivery.ts'
import { prepareBucket, writeToBucket } from './delivery-to-buckets.ts'
import { prepareGroup, writeToGroup } from './delivery-to-groups.ts'

export const logDeliveryPort: LogDeliveryPort = {
  prepare: (call, delivery) => {
    const { destination } = delivery
    return 'logGroup' in destination
      ? prepareGroup(call, delivery, destination)
      : prepareBucket(call, delivery, destination)
  },
  write: (act, delivery, events) => {
    const { destination } = delivery
    return 'logGroup' in destination
      ? writeToGroup(act, delivery, destination, events)
      : writeToBucket(act, delivery, destination, events)
  },
}
