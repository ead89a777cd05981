/** A plane that answers over UDP whether a domain has a certificate, from its last snapshot. */
import { Mirror, type MirrorOptions } from '../../src/kernel/planes/mirror.ts'
import type { Plane } from '../../src/kernel/planes/plane.ts'
import { type StatusContent, statusSnapshot } from './snapshot.ts'

type Options = Pick<MirrorOptions<ReadonlySet<string>>, 'feed' | 'publicKey' | 'file' | 'waitMs'>

export function statusPlane(options: Options): Plane {
  const mirror = new Mirror<ReadonlySet<string>>({
    ...options,
    plane: statusSnapshot.plane,
    version: statusSnapshot.version,
    read: (content) => new Set((content as StatusContent).domains),
  })
  return {
    name: statusSnapshot.plane,
    listeners: [
      {
        kind: 'datagram',
        name: 'status',
        bytesMax: 253, // the longest domain name
        runningMax: 100,
        respond: (message) => {
          const domains = mirror.content
          if (!domains) return Buffer.from('unavailable') // closed without a snapshot
          return Buffer.from(domains.has(message.toString('utf8')) ? 'issued' : 'none')
        },
      },
    ],
    start: () => mirror.start(),
    health: () => (mirror.content ? 'open' : 'closed'),
    snapshotNumber: () => mirror.number,
    close: () => mirror.stop(),
  }
}
