/** The planes that work in the server's process beside the calls: functions, bytes of objects, directories and streams. */
import { readFileSync } from 'node:fs'
import { blobs } from '../../kernel/ports/blobs.ts'
import { directoryServers } from '../../kernel/ports/directory-servers.ts'
import { functions } from '../../kernel/ports/functions.ts'
import { type Provided, provide } from '../../kernel/ports/port.ts'
import type { Clock } from '../../kernel/state/clock.ts'
import { directories } from '../../planes/directories/directories.ts'
import { readDomainServers } from '../../planes/directories/servers.ts'
import { type EgressList, readEgress } from '../../planes/functions/egress.ts'
import { functionHost } from '../../planes/functions/host.ts'
import { type BlobStore, sealedBlobs } from '../../planes/objects/blobs.ts'
import { heldBlobs } from '../../planes/objects/deferred-deletes.ts'
import { memoryBlobs } from '../../planes/objects/memory.ts'
import { checkpoints, events } from '../../planes/streams/source.ts'
import { Stream, type StreamOptions, type StreamStatus } from '../../planes/streams/stream.ts'
import type { Target } from '../../planes/streams/target.ts'
import type { Store } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Handler } from '../../wire/node-http.ts'
import { readHosts } from './outbound.ts'

export interface PlanesOptions {
  /** Whether deployment packages of customers run here. */
  readonly packages?: boolean | undefined
  /** The addresses inside that functions may reach: `MERLON_FUNCTION_EGRESS`. */
  readonly egress?: EgressList | undefined
  /** Where the bytes of objects are stored. Default: in memory. */
  readonly blobs?: BlobStore | undefined
  /** Targets that every event is sent to, too. */
  readonly streams?: readonly Target[] | undefined
  /** Targets that every checkpoint is sent to, too. */
  readonly witnesses?: readonly Target[] | undefined
  readonly onStream?: StreamOptions['report'] | undefined
}

export interface PlanesContext {
  readonly store: Store
  readonly vault: Vault
  readonly clock: Clock
  /** The signed API, for functions that call it. */
  readonly handler: Handler
}

export interface OpenPlanes {
  readonly provides: readonly Provided[]
  /** For work that copies objects' bytes: meanwhile this node removes none. */
  holdingObjects<T>(work: () => Promise<T>): Promise<T>
  start(): void
  streams(): readonly StreamStatus[]
  /** Stops what takes new work. */
  close(): Promise<void>
  /** Stops the streams, which are to send the last checkpoint, too. */
  closeStreams(): Promise<void>
}

export function openPlanes(options: PlanesOptions, { store, vault, clock, handler }: PlanesContext): OpenPlanes {
  const now = () => clock.now()
  const runner = functionHost({
    handler,
    now,
    egress: options.egress ?? readEgress(process.env['MERLON_FUNCTION_EGRESS']),
    process: options.packages ?? false,
  })
  const held = heldBlobs(options.blobs ?? memoryBlobs())
  const report = options.onStream ?? (() => undefined)
  const streaming = [
    ...(options.streams ?? []).map((target) => ({ target, source: events(store) })),
    ...(options.witnesses ?? []).map((target) => ({ target, source: checkpoints(store) })),
  ].map(({ target, source }) => new Stream({ store, source, target, report: report }))

  return {
    provides: [
      provide(functions, runner),
      provide(blobs, sealedBlobs(vault, held)),
      provide(directoryServers, configuredDirectories(now)),
    ],
    holdingObjects: (work) => held.holding(work),
    start: () => {
      for (const stream of streaming) stream.start()
    },
    streams: () => streaming.map((stream) => stream.status()),
    close: () => runner.close(),
    closeStreams: async () => void (await Promise.all(streaming.map((stream) => stream.stop()))),
  }
}

/** The LDAP servers that the operator names in the environment. */
function configuredDirectories(now: () => number) {
  const ca = process.env['MERLON_DIRECTORY_CA']
  return directories({
    servers: readDomainServers(process.env['MERLON_DIRECTORY_SERVERS']),
    hosts: readHosts(process.env['MERLON_FEDERATION_HOSTS']),
    ca: ca === undefined ? undefined : readFileSync(ca, 'utf8'),
    now,
  })
}
