/** Publishes the snapshots that services declare: one feed for each plane. */
import type { Store } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Use } from '../ports/port.ts'
import type { Service } from '../service/service.ts'
import { type SnapshotFeed, SnapshotPublisher, type SnapshotsPort } from './snapshot.ts'

export interface Publishing extends SnapshotsPort {
  close(): void
}

/** Throws when two services declare a snapshot of one plane. */
export function publishing(
  services: readonly Pick<Service, 'snapshots'>[],
  store: Store,
  vault: Pick<Vault, 'signAsInstallation'>,
  use: Use,
): Publishing {
  const publishers = new Map<string, SnapshotPublisher<unknown>>()
  for (const source of services.flatMap(({ snapshots = [] }) => snapshots)) {
    if (publishers.has(source.plane)) throw new Error(`The plane '${source.plane}' has two snapshots.`)
    publishers.set(source.plane, new SnapshotPublisher(store, vault, source, use))
  }
  return {
    planes: [...publishers.keys()],
    feedOf: (plane): SnapshotFeed => {
      const publisher = publishers.get(plane)
      if (!publisher) throw new Error(`No service publishes snapshots for the plane '${plane}'.`)
      return publisher
    },
    close: () => {
      for (const publisher of publishers.values()) publisher.close()
    },
  }
}
