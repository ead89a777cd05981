/** A running server: one cloud, one listener, what watches it, and how it ends. */
import { isIP } from 'node:net'
import { MovableClock, systemClock } from '../kernel/clock.ts'
import { DOCUMENTS_PATH } from '../kernel/documents.ts'
import type { Answer } from '../kernel/gate.ts'
import { Throttle } from '../kernel/throttle.ts'
import type { BlobStore } from '../planes/objects/blobs.ts'
import { folderBlobs } from '../planes/objects/folder.ts'
import type { Target } from '../planes/streams/target.ts'
import type { RootKey } from '../services/iam/bootstrap.ts'
import { openStore } from '../store/sqlite.ts'
import { ephemeralUnsealed } from '../vault/ephemeral.ts'
import { type HttpRequest, type HttpResponse, header } from '../wire/http.ts'
import { listenForAdmin } from './admin-socket.ts'
import { replaceKeyrings } from './backup.ts'
import { type Cloud, type CloudOptions, openCloud } from './cloud.ts'
import { Custody } from './custody.ts'
import { openDesk } from './desk.ts'
import { answerDevelopment, DEVELOPMENT_PATH } from './development.ts'
import { firstAccount } from './first-account.ts'
import { GaugeReader } from './gauges.ts'
import { chooseAccountId, InstallationError, objectsOf } from './installation.ts'
import type { Limits } from './limits.ts'
import { type Listener, listen } from './listener.ts'
import type { Logger } from './log.ts'
import { Metrics } from './metrics.ts'
import { OverloadLog } from './overload-log.ts'
import { factsOfThisProcess, forbidCoreDumps, ignoreDebuggerSignal, refuseUnsafe, unsafeIn } from './safe-process.ts'
import { answerSealed } from './sealed-answer.ts'
import { isAutomatic } from './sealers.ts'
import { type Seed, sow } from './seed.ts'
import type { Storage } from './storage.ts'

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly version: string
  readonly logger: Logger
  /** Logs every answer, not only failures of ours. */
  readonly accessLog?: boolean
  readonly publicUrl?: string | undefined
  readonly packages?: boolean | undefined
  readonly streams?: readonly Target[]
  readonly witnesses?: readonly Target[]
  /** Where the bytes of objects lie instead of the data folder. */
  readonly blobs?: BlobStore | undefined
  /** Default: those of `throttle.ts` and `admission.ts`. */
  readonly limits?: Limits | undefined
  /** How long it still answers after it was told to stop, while /health already sends load balancers elsewhere. */
  readonly lameDuckMs?: number
  /** The bundled thread for slow key operations; without it they run on the server's own. */
  readonly keyScript?: URL
  readonly world: DurableWorld | DevelopmentWorld
}

/** A folder on disk. */
export interface DurableWorld {
  readonly kind: 'durable'
  readonly data: string
  readonly storage: Storage
  readonly accountId?: string | undefined
  /** Serve data that is older than what was there before. */
  readonly acceptRollback?: boolean
}

/** In memory, gone with the process. */
export interface DevelopmentWorld {
  readonly kind: 'development'
  readonly accountId?: string | undefined
  readonly rootKey?: RootKey | undefined
  readonly seed?: Seed | undefined
}

export interface RunningServer {
  readonly url: string
  /** Accounts that were made by this start, with their root keys: shown this once. */
  readonly made: readonly { readonly accountId: string; readonly rootKey: RootKey }[]
  /** Waits for its people: every call is refused until `merlon unseal`. */
  readonly sealed: boolean
  close(): Promise<void>
}

type Common = Pick<
  CloudOptions,
  'keyScript' | 'publicUrl' | 'packages' | 'streams' | 'witnesses' | 'blobs' | 'throttle' | 'observe'
>

const DEVELOPMENT_ACCOUNT = '123456789012'

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { logger, version, host, port, world } = options
  const metrics = new Metrics()
  const gauges = new GaugeReader(world.kind === 'durable' ? world.data : undefined)
  const overload = new OverloadLog(logger)
  const observe = (answer: Answer) => {
    metrics.observe(answer)
    if (answer.throttled) overload.count(`throttled by ${answer.throttled}`)
    logAnswer(logger, answer, options.accessLog ?? false)
  }
  const common: Common = {
    keyScript: options.keyScript,
    publicUrl: options.publicUrl,
    packages: options.packages,
    streams: options.streams,
    witnesses: options.witnesses,
    blobs: options.blobs,
    throttle: new Throttle(options.limits?.rates),
    observe,
  }
  let dismiss: () => Promise<void> = async () => undefined
  const opened =
    world.kind === 'durable'
      ? await openDurable(world, host, common, logger, () => dismiss())
      : await openDevelopment(world, host, common, logger)

  let leaving = false
  const handle = (request: HttpRequest): Promise<HttpResponse> =>
    opened.during(
      async (cloud) => {
        const told = async () => metrics.text(cloud.streams(), listener.load(), await gauges.read(cloud.store))
        const watched = await watch(request, version, told, leaving ? 'leaving' : opened.fenced() ? 'fenced' : 'ok')
        if (watched) return watched
        if (isPublic(request)) return published(await cloud.document(request.path))
        if (opened.development && request.path.startsWith(DEVELOPMENT_PATH)) return opened.development(request)
        return cloud.gate.handle(request)
      },
      async () => {
        const told = async () => metrics.text([], listener.load(), await gauges.read(undefined))
        return (await watch(request, version, told, 'sealed')) ?? answerSealed(request)
      },
    )
  let listener: Listener
  try {
    listener = await listen(handle, {
      host,
      port,
      admission: options.limits?.admission,
      isVital: ({ method, url }) => method === 'GET' && (url === '/health' || url === '/metrics'),
      onRefused: (why) => overload.count(why),
    })
  } catch (error) {
    await opened.close()
    throw error
  }
  dismiss = () => listener.dismiss()
  logger.log('info', 'listening', { url: listener.url, version, sealed: opened.sealed })

  return {
    url: listener.url,
    made: opened.made,
    sealed: opened.sealed,
    close: async () => {
      leaving = true
      listener.leave()
      logger.log('info', 'draining', { lameDuckMs: options.lameDuckMs ?? 0 })
      await new Promise((done) => setTimeout(done, options.lameDuckMs ?? 0))
      await listener.close()
      await opened.close()
      overload.close()
      gauges.close()
      logger.log('info', 'stopped')
    },
  }
}

interface Opened {
  /** Answers by the cloud, or otherwise while there is none. */
  during<T>(work: (cloud: Cloud) => Promise<T>, otherwise: () => Promise<T>): Promise<T>
  readonly made: RunningServer['made']
  readonly sealed: boolean
  fenced(): boolean
  readonly development?: (request: HttpRequest) => Promise<HttpResponse>
  close(): Promise<void>
}

async function openDurable(
  world: DurableWorld,
  host: string,
  common: Common,
  logger: Logger,
  onSealed: () => Promise<void>,
): Promise<Opened> {
  ignoreDebuggerSignal()
  let made: RunningServer['made'] = []
  const told = troubles(logger)
  const custody = await Custody.take({
    data: world.data,
    clock: systemClock,
    logger,
    storage: world.storage,
    onSealed,
    onDestroyed: async (custody) => void (await replaceKeyrings(custody)),
    environment: process.env,
    openCloud: ({ store, keyring }) =>
      openCloud({
        store,
        unsealed: { tree: keyring },
        clock: systemClock,
        ...common,
        blobs: common.blobs ?? store.blobs ?? folderBlobs(objectsOf(world.data)),
        ...told,
      }),
    onUnsealed: async (cloud) => {
      made = await firstAccount(cloud, world.accountId)
    },
  })
  try {
    if (!custody.keyBesideData) forbidCoreDumps()
    const facts = factsOfThisProcess()
    if (custody.keyBesideData) refuseBeyondLoopback(host, 'the root key lies in a file beside the data')
    else refuseUnsafe(facts)
    await unsealOrWait(custody, world, logger)
    const desk = openDesk(custody, () => ({ unsafe: unsafeIn(facts) }))
    const socket = await listenForAdmin(world.data, desk, logger)
    return {
      during: (work, otherwise) => custody.during(work, otherwise),
      made,
      sealed: custody.sealed,
      fenced: () => !custody.sealed && custody.body().fenced === true,
      close: async () => {
        await socket?.close()
        await custody.close()
      },
    }
  } catch (error) {
    await custody.close()
    throw error
  }
}

const troubles = (logger: Logger): Pick<CloudOptions, 'onJobError' | 'onEvidenceError' | 'onStream'> => ({
  onJobError: (job, error) => logger.log('error', 'job failed', { job, error }),
  onEvidenceError: (error) => logger.log('error', 'evidence', { error }),
  onStream: (level, message, facts) => logger.log(level, message, facts),
})

/** A server that nothing but a file could unseal does not wait for a person who cannot help it. */
async function unsealOrWait(custody: Custody, world: DurableWorld, logger: Logger): Promise<void> {
  const reasons = await custody.unsealAutomatically({ acceptRollback: world.acceptRollback ?? false })
  if (!reasons) return
  const { sealers } = custody.body()
  // On data that nodes share another one may add a sealer, and its key file may yet come here.
  if (!custody.shared && sealers.every(({ settings }) => settings.kind === 'file'))
    throw new InstallationError(reasons.join('\n'))
  const people = sealers.filter((sealer) => !isAutomatic(sealer)).map(({ settings }) => settings.kind)
  logger.log('warn', 'sealed: run merlon unseal', { reasons, people })
}

async function openDevelopment(world: DevelopmentWorld, host: string, common: Common, logger: Logger): Promise<Opened> {
  refuseBeyondLoopback(host, 'this is a development server')
  const clock = new MovableClock()
  const defaultId = chooseAccountId(world.accountId ?? DEVELOPMENT_ACCOUNT)
  // The same keys after a reset, so that clients need not be told.
  let keys = new Map<string, RootKey>(world.rootKey ? [[defaultId, world.rootKey]] : [])
  const seed: Seed = {
    accounts: [
      ...(world.seed?.accounts ?? []),
      ...(world.seed?.accounts.some(({ id }) => id === defaultId) ? [] : [{ id: defaultId }]),
    ],
  }
  const open = async (): Promise<Cloud> => {
    const store = await openStore({ file: ':memory:' })
    const opened = await openCloud({ store, unsealed: ephemeralUnsealed(), clock, ...common, ...troubles(logger) })
    keys = await sow(opened, seed, keys)
    return opened
  }

  let cloud = await open()
  const development = {
    clock,
    cloud: () => cloud,
    reset: async () => {
      const before = cloud
      cloud = await open()
      cloud.start()
      await before.close()
    },
  }
  cloud.start()
  return {
    during: (work) => work(cloud),
    made: [...keys].map(([accountId, rootKey]) => ({ accountId, rootKey })),
    sealed: false,
    fenced: () => false,
    development: (request) => answerDevelopment(development, request),
    close: () => cloud.close(),
  }
}

function refuseBeyondLoopback(host: string, why: string): void {
  const loopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  if (!loopback) {
    throw new InstallationError(
      `Merlon will not listen on ${host}: ${why}, so only this machine may reach it. Use --host 127.0.0.1.`,
    )
  }
}

/** What probes and Prometheus ask, unsigned; a signed request for the same path is an API call. */
/** What services publish is asked without a signature, by GET. */
const isPublic = ({ method, path }: HttpRequest): boolean => method === 'GET' && path.startsWith(DOCUMENTS_PATH)

function published(document: object | undefined): HttpResponse {
  const headers = { 'content-type': 'application/json', 'cache-control': document ? 'public, max-age=300' : 'no-store' }
  return { status: document ? 200 : 404, headers, body: document ? JSON.stringify(document) : '{}' }
}

async function watch(
  request: HttpRequest,
  version: string,
  told: () => Promise<string>,
  status: 'ok' | 'fenced' | 'leaving' | 'sealed',
): Promise<HttpResponse | undefined> {
  if (request.method !== 'GET' || header(request, 'authorization') !== undefined || request.query !== '')
    return undefined
  switch (request.path) {
    case '/health':
      return {
        status: status === 'ok' || status === 'fenced' ? 200 : 503,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ status, version }),
      }
    case '/metrics':
      return {
        status: 200,
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: await told(),
      }
    default:
      return undefined
  }
}

function logAnswer(logger: Logger, answer: Answer, all: boolean): void {
  // S3 tells of throttling by a 503: the caller's doing, not ours.
  const failed = answer.status >= 500 && answer.throttled === undefined
  if (!failed && !all) return
  const { requestId, service, operation, status, code, principal, tookMs, cause } = answer
  logger.log(failed ? 'error' : 'info', 'answered', {
    requestId,
    service,
    operation,
    status,
    code,
    principal,
    tookMs: Math.round(tookMs * 1000) / 1000,
    ...(failed && { cause }),
  })
}
