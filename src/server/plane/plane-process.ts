/**
 * A plane in a process of its own: enrolled once, from then on it starts without its server, works from the last snapshot in
 * its directory, and follows the server whenever it can be reached.
 */
import { mkdirSync } from 'node:fs'
import { chmod, open, readFile, rename } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fingerprintOf, parseCode } from '../../kernel/planes/enrollment.ts'
import { RecordBuffer } from '../../kernel/planes/record-buffer.ts'
import { newSealingKey, openedByKey } from '../../kernel/planes/sealed-secrets.ts'
import type { GatewaySettings } from '../../planes/gateway/index.ts'
import type { Logger } from '../compose/log.ts'
import { InstallationError } from '../compose/operator-errors.ts'
import { FollowedListeners, type OpenListener, openListeners } from '../listen/plane-listeners.ts'
import { enroll, exchangeWith, feedFrom, PlaneServer, sinkTo } from './plane-client.ts'
import { type PlaneFactory, planeFactories } from './plane-factories.ts'
import { type MetricsListener, openMetrics } from './plane-metrics.ts'

export interface PlaneProcessOptions {
  /** `resolver` */
  readonly plane: string
  /** Its own directory: identity, last snapshot, records that wait. */
  readonly state: string
  /** The addresses of its nodes. Needed at first, with the code; later they replace those that were stored. */
  readonly server?: string | undefined
  /** Spent by the first start. */
  readonly code?: string | undefined
  /** Default: the name of this machine. */
  readonly node?: string | undefined
  readonly ca?: string | undefined
  readonly host: string
  /** By the listener's name. */
  readonly ports: Readonly<Record<string, number>>
  /** On loopback; 0 takes any. undefined: what it counts is not served. */
  readonly metricsPort?: number | undefined
  readonly logger: Logger
  /** Milliseconds between batches of records. */
  readonly recordsEveryMs?: number
  /** Milliseconds of one long poll. */
  readonly waitMs?: number
  readonly gateway?: (GatewaySettings & { readonly portOf?: (port: number) => number }) | undefined
}

export interface PlaneProcess {
  readonly listeners: readonly OpenListener[]
  /** Where it serves what it counts. */
  readonly metricsPort: number | undefined
  health(): 'open' | 'closed'
  close(): Promise<void>
}

/** What enrollment left behind. */
interface PlaneIdentity {
  readonly plane: string
  readonly node: string
  readonly server: string
  readonly token: string
  /** DER SPKI, base64: signs every snapshot that is accepted. */
  readonly publicKey: string
  /** DER PKCS #8, base64: opens the secrets of snapshots. Absent for planes that were enrolled before there were any. */
  readonly sealingKey?: string
}

const IDENTITY = 'plane.json'

export async function runPlane(options: PlaneProcessOptions): Promise<PlaneProcess> {
  const { plane: name, state, host, ports, logger, recordsEveryMs } = options
  const factory = factoryOf(name)
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const identity = await identified(options)
  const server = new PlaneServer(options.server ?? identity.server, options.ca)
  const stopped = new AbortController()
  const records = new RecordBuffer({
    sink: sinkTo(server, name, identity.token),
    directory: join(state, 'records'),
    status: () => ({ health: plane.health(), snapshot: plane.snapshotNumber() }),
    ...(recordsEveryMs !== undefined && { everyMs: recordsEveryMs }),
  })
  const plane = await factory({
    feed: feedFrom(server, name, identity.token, stopped.signal),
    publicKey: Buffer.from(identity.publicKey, 'base64'),
    file: join(state, 'snapshot.json'),
    onRefused: (reason) => logger.log('error', 'snapshot refused', { plane: name, reason }),
    onRecord: (record) => records.add(record),
    onDropped: (count) => records.drop(count),
    waitMs: options.waitMs,
    openSecrets: openedByKey(identity.sealingKey ?? '', name, identity.node),
    exchange: exchangeWith(server, name, identity.token, stopped.signal),
    node: identity.node,
    onError: (message, details) => logger.log('error', message, { plane: name, ...details }),
    gateway: options.gateway,
  })
  await plane.start()
  await records.start()
  const followed = plane.onListeners && new FollowedListeners(plane, host, options.gateway?.portOf)
  let fixed: readonly OpenListener[] = []
  let metrics: MetricsListener | undefined
  try {
    metrics = options.metricsPort === undefined ? undefined : await openMetrics(plane, options.metricsPort)
    if (followed) await followed.start()
    else fixed = await openListeners(plane, host, ports)
  } catch (error) {
    stopped.abort()
    await metrics?.close()
    await plane.close()
    await records.stop()
    throw error
  }
  const listeners = () => (followed ? [...followed.opened.values()] : fixed)
  const shown = listeners().map((listener) => ({ kind: listener.kind, name: listener.name, port: listener.port }))
  logger.log('info', 'plane runs', { plane: name, node: identity.node, health: plane.health(), listeners: shown })

  return {
    get listeners() {
      return listeners()
    },
    metricsPort: metrics?.port,
    health: () => plane.health(),
    close: async () => {
      await plane.drain?.()
      await followed?.close()
      await Promise.all(fixed.map((listener) => listener.close()))
      stopped.abort()
      await plane.close()
      await records.stop()
      await metrics?.close()
    },
  }
}

function factoryOf(name: string): PlaneFactory {
  const factory = planeFactories[name]
  if (factory) return factory
  const known = Object.keys(planeFactories).join(', ')
  throw new InstallationError(`There is no plane named '${name}'. There are: ${known}.`, 'MERLON_PLANE_NOT_ENROLLED')
}

/** Reads the identity, or spends the code for one. A plane that is enrolled already keeps its code unspent. */
async function identified(options: PlaneProcessOptions): Promise<PlaneIdentity> {
  const { plane, state, server, code, node = hostname() } = options
  const file = join(state, IDENTITY)
  const stored = await readIdentity(file)
  if (stored) {
    if (stored.plane === plane) return stored
    throw new InstallationError(
      `${state} belongs to the plane ${stored.plane}, not to ${plane}. Choose another --state.`,
      'MERLON_PLANE_NOT_ENROLLED',
    )
  }
  if (code === undefined || server === undefined)
    throw new InstallationError(
      `${state} holds no enrolled plane. Create a code on the server, 'merlon plane enroll ${plane}', and pass it: --enroll CODE --server URL`,
      'MERLON_PLANE_NOT_ENROLLED',
    )
  const parsed = parseCode(code)
  if (parsed?.plane !== plane)
    throw new InstallationError(`The enrollment code is not one of the plane ${plane}.`, 'MERLON_PLANE_NOT_ENROLLED')
  const sealing = newSealingKey()
  const { token, publicKey } = await enroll(new PlaneServer(server, options.ca), {
    plane,
    code: parsed.secret,
    node,
    sealingKey: sealing.publicKey,
  })
  // The code came from the operator: an impostor of the server cannot make the plane accept another key.
  if (fingerprintOf(Buffer.from(publicKey, 'base64')) !== parsed.fingerprint)
    throw new InstallationError(
      `${server} has another key than the server that the enrollment code is of.`,
      'MERLON_PLANE_NOT_ENROLLED',
    )
  const identity: PlaneIdentity = { plane, node, server, token, publicKey, sealingKey: sealing.privateKey }
  await writeDurably(file, JSON.stringify(identity))
  return identity
}

async function readIdentity(file: string): Promise<PlaneIdentity | undefined> {
  try {
    const identity = JSON.parse(await readFile(file, 'utf8')) as PlaneIdentity
    // The token is a credential.
    await chmod(file, 0o600)
    return identity
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${file}.new`, file)
}
