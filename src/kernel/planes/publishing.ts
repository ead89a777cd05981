/** Publishes the snapshots that services declare: one feed for each plane. */
import type { Store } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Use } from '../ports/port.ts'
import type { Service } from '../service/service.ts'
import { type PlaneScope, scopeName } from './plane-scope.ts'
import { type SnapshotFeed, SnapshotPublisher, type SnapshotSource, type SnapshotsPort } from './snapshot.ts'

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
  const sources = new Map<string, SnapshotSource<unknown>>()
  /** By plane and scope: each scope of an enrolled plane has a snapshot of its own, from when it is first wanted. */
  const publishers = new Map<string, SnapshotPublisher<unknown>>()
  const publisherOf = (source: SnapshotSource<unknown>, scope?: PlaneScope) => {
    const name = `${source.plane} ${scopeName(scope)}`
    const known = publishers.get(name)
    if (known) return known
    const publisher = new SnapshotPublisher(store, vault, source, use, scope)
    publishers.set(name, publisher)
    return publisher
  }
  for (const source of services.flatMap(({ snapshots = [] }) => snapshots)) {
    if (sources.has(source.plane)) throw new Error(`The plane '${source.plane}' has two snapshots.`)
    sources.set(source.plane, source)
    publisherOf(source)
  }
  return {
    planes: [...sources.keys()],
    scopedPlanes: [...sources.values()].filter(({ isScoped }) => isScoped).map(({ plane }) => plane),
    feedOf: (plane, scope): SnapshotFeed => {
      const source = sources.get(plane)
      if (!source) throw new Error(`No service publishes snapshots for the plane '${plane}'.`)
      return publisherOf(source, scope)
    },
    close: () => {
      for (const publisher of publishers.values()) publisher.close()
    },
  }
}
