/** A running server: one cloud, one listener, what watches it, and how it ends. */
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { RequestOutcome } from '../../kernel/gate/gate.ts'
import { Throttle } from '../../kernel/gate/throttle.ts'
import { PLANES_PATH } from '../../kernel/planes/plane-site.ts'
import type { RootKey } from '../../kernel/ports/bootstrap.ts'
import { certificates, type UsableCertificate } from '../../kernel/ports/certificates.ts'
import { deliveredMail } from '../../kernel/ports/delivered-mail.ts'
import { mail } from '../../kernel/ports/mail.ts'
import { provide } from '../../kernel/ports/port.ts'
import { DOCUMENTS_PATH } from '../../kernel/service/documents.ts'
import { DevelopmentClock, systemClock } from '../../kernel/state/clock.ts'
import { GATEWAY } from '../../planes/gateway/index.ts'
import type { MailTransport } from '../../planes/mailer/mailer.ts'
import { memoryMailer } from '../../planes/mailer/memory.ts'
import type { BlobStore } from '../../planes/objects/blobs.ts'
import { folderBlobs } from '../../planes/objects/folder.ts'
import { RESOLVER } from '../../planes/resolver/index.ts'
import type { Target } from '../../planes/streams/target.ts'
import { openStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { ephemeralUnsealed } from '../../vault/ephemeral.ts'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import { createAdminApi } from '../admin/admin-api.ts'
import { type AdminSocket, listenForAdmin } from '../admin/admin-socket.ts'
import { type OneAccountAtATime, oneAccountAtATime, ownedStore } from '../dev/account-reset.ts'
import { answerDevelopment, DEVELOPMENT_PATH } from '../dev/development.ts'
import { CertificateTls } from '../listen/certificate-tls.ts'
import { type Front, openFront, type WebListenerOptions } from '../listen/front.ts'
import { GaugeReader } from '../listen/gauges.ts'
import {
  type Health,
  healthAnswer,
  isLocalStackHealth,
  localStackHealth,
  metricsAnswer,
  Readiness,
  watchedPath,
} from '../listen/health.ts'
import type { Handler } from '../listen/listener.ts'
import { Metrics } from '../listen/metrics.ts'
import { OverloadLog } from '../listen/overload-log.ts'
import { namesOfServer, OwnAuthority } from '../listen/own-authority.ts'
import { SetupLog } from '../listen/setup-log.ts'
import { syncMetrics } from '../listen/sync-metrics.ts'
import { TlsFiles, type TlsSource } from '../listen/tls.ts'
import type { TrustedProxies } from '../listen/trusted-proxies.ts'
import { answerUnavailable } from '../listen/unavailable-answer.ts'
import { ServerPlane, type ServerPlaneOptions } from '../plane/server-plane.ts'
import { type Administrator, addAdministrator, applySeed } from '../seed/apply-seed.ts'
import type { Seed } from '../seed/seed-format.ts'
import { replaceKeyrings } from '../trust/backup.ts'
import {
  factsOfThisProcess,
  forbidCoreDumps,
  ignoreDebuggerSignal,
  refuseUnsafe,
  unsafeIn,
} from '../trust/safe-process.ts'
import { SealManager } from '../trust/seal-manager.ts'
import { isAutomatic } from '../trust/sealers.ts'
import { ConsoleFiles } from '../web/console-files.ts'
import { Origins } from '../web/origins.ts'
import { CONSOLE_PATH, SIGN_IN_PATH, webHandler } from '../web/web-handler.ts'
import { type Cloud, type CloudOptions, openCloud } from './cloud.ts'
import { firstAccount } from './first-account.ts'
import { chooseAccountId, InstallationError, objectsOf } from './installation.ts'
import type { Limits } from './limits.ts'
import type { Logger } from './log.ts'
import { asOperatorError } from './operator-errors.ts'
import { services } from './services.ts'
import type { Storage } from './storage.ts'

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly version: string
  readonly logger: Logger
  /** Logs every answer, not only failures of ours. */
  readonly accessLog?: boolean
  readonly publicUrl?: string | undefined
  /** The console and sign-in pages; undefined: none are served. */
  readonly web?: WebOptions | undefined
  /** Origins besides the console's whose pages may call the API. */
  readonly corsOrigins?: readonly string[]
  /** Undefined: plain HTTP, which beyond this machine needs `allowsPlainHttp`. */
  readonly tls?: TlsChoice | undefined
  readonly allowsPlainHttp?: boolean
  /** Lets a development server listen on other addresses than loopback: in a container, no client reaches loopback. */
  readonly allowsRemoteDevelopment?: boolean
  readonly proxies?: TrustedProxies | undefined
  readonly packages?: boolean | undefined
  readonly streams?: readonly Target[]
  readonly witnesses?: readonly Target[]
  /** Sends mail of the services. Default: none, so that messages wait; with `--dev` they are kept in memory. */
  readonly mail?: MailTransport | undefined
  /** Answers DNS queries for the zones of Route 53. Default: no resolver runs in this process. */
  readonly resolver?: { readonly host: string; readonly port: number } | undefined
  /** Serves application load balancers. Default: no gateway runs in this process. */
  readonly gateway?: Pick<ServerPlaneOptions, 'host' | 'gateway'> | undefined
  /** Where the bytes of objects are stored instead of the data directory. */
  readonly blobs?: BlobStore | undefined
  /** Default: those of `throttle.ts` and `admission.ts`. */
  readonly limits?: Limits | undefined
  /**
   * How long the server still answers after it received a stop signal, while /health already sends load balancers
   * elsewhere, in milliseconds.
   */
  readonly lameDuckMs?: number
  /** The bundled thread for slow key operations; without it they run on the server's own. */
  readonly keyScript?: URL
  readonly world: DurableOptions | DevelopmentOptions
}

export interface WebOptions extends WebListenerOptions {
  /** How browsers reach the pages, where a proxy is in between. */
  readonly url?: string | undefined
  /** The console's built files; ends with `/`. */
  readonly files?: URL | undefined
}

interface IssuedHere {
  /** A certificate of this installation's ACM, used instead as soon as it is issued: its ARN. */
  readonly certificate?: string | undefined
}

type InitialTls =
  /** PEM files, read again when they change. */
  | { readonly kind: 'files'; readonly cert: string; readonly key: string }
  /** An authority of its own in a directory, for further names than those of its addresses. */
  | { readonly kind: 'own'; readonly directory: string; readonly names: readonly string[] }

export type TlsChoice = InitialTls & IssuedHere

/** A folder on disk. */
export interface DurableOptions {
  readonly kind: 'durable'
  readonly data: string
  readonly storage: Storage
  readonly accountId?: string | undefined
  /** Serve data that is older than what was there before. */
  readonly acceptRollback?: boolean
}

/** In memory, gone with the process. */
export interface DevelopmentOptions {
  readonly kind: 'development'
  readonly accountId?: string | undefined
  readonly rootKey?: RootKey | undefined
  readonly seed?: Seed | undefined
}

export interface RunningServer {
  readonly url: string
  /** Where the console and the sign-in pages are; undefined while they are not served. */
  readonly pages: { readonly console: string; readonly signIn: string } | undefined
  /** Accounts that were made by this start, with their root keys: shown this once. */
  readonly made: readonly {
    readonly accountId: string
    readonly rootKey: RootKey
    /** Of `--dev` without a seed. */
    readonly administrator?: Administrator
  }[]
  /** Waits for its people: every call is refused until `merlon unseal`. */
  readonly sealed: boolean
  /** False when the store did not answer, so that something is still waiting for it: the process must be ended. */
  close(): Promise<boolean>
}

type Common = Pick<
  CloudOptions,
  | 'keyScript'
  | 'publicUrl'
  | 'webUrl'
  | 'webAddress'
  | 'packages'
  | 'streams'
  | 'witnesses'
  | 'blobs'
  | 'provides'
  | 'throttle'
  | 'observe'
  | 'onDecisionError'
>

type WithPlane = (cloud: Cloud) => Cloud

const DEVELOPMENT_ACCOUNT = '123456789012'

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { logger, version, host, port, world } = options
  const metrics = new Metrics()
  const gauges = new GaugeReader(world.kind === 'durable' ? world.data : undefined)
  const overload = new OverloadLog(logger)
  const setup = new SetupLog(logger)
  const observe = (answer: RequestOutcome) => {
    metrics.observe(answer)
    if (answer.throttled) overload.count(`throttled by ${answer.throttled}`)
    if (answer.mistake) setup.note(answer.mistake)
    logAnswer(logger, answer, options.accessLog ?? false)
  }
  let loggedAt = Number.NEGATIVE_INFINITY
  const onDecisionError = (error: unknown, requestId: string) => {
    metrics.countDecisionError()
    // A policy that cannot be evaluated is evaluated with every call.
    if (performance.now() - loggedAt < 60_000) return
    loggedAt = performance.now()
    logger.log('error', 'a policy decision failed, and the call was denied', { requestId, error })
  }
  const origins = new Origins({ publicUrl: options.publicUrl, webUrl: options.web?.url })
  const common: Common = {
    keyScript: options.keyScript,
    publicUrl: options.publicUrl,
    webUrl: options.web?.url,
    webAddress: () => origins.web(),
    packages: options.packages,
    streams: options.streams,
    witnesses: options.witnesses,
    blobs: options.blobs,
    provides: options.mail && [provide(mail, options.mail)],
    throttle: new Throttle(options.limits?.rates),
    observe,
    onDecisionError,
  }
  const resolver =
    options.resolver &&
    new ServerPlane({
      plane: RESOLVER,
      ...options.resolver,
      file: world.kind === 'durable' ? join(world.data, 'resolver.snapshot') : undefined,
      logger,
    })
  // Its snapshots are kept in memory: their secrets open with the vault alone.
  const gateway = options.gateway && new ServerPlane({ plane: GATEWAY, ...options.gateway, file: undefined, logger })
  const withPlane: WithPlane = (cloud) => ({
    ...cloud,
    start: () => {
      cloud.start()
      resolver?.attach(cloud).catch((error) => logger.log('error', 'the resolver did not start', { error }))
      gateway?.attach(cloud).catch((error) => logger.log('error', 'the gateway did not start', { error }))
    },
  })
  let dismiss: () => Promise<void> = async () => undefined
  const opened =
    world.kind === 'durable'
      ? await openDurable(world, options, common, withPlane, () => dismiss())
      : await openDevelopment(world, options, common, withPlane)

  let phase: 'starting' | 'serving' | 'leaving' = 'starting'
  const readiness = new Readiness(() => opened.store()?.probe())
  const health = async (): Promise<Health> => {
    if (phase !== 'serving') return { status: phase }
    if (opened.sealed()) return { status: 'sealed' }
    const trouble = await readiness.trouble()
    return trouble ? { status: 'unavailable', ...trouble } : { status: opened.fenced() ? 'fenced' : 'ok' }
  }
  const answer = async (request: HttpRequest): Promise<HttpResponse> => {
    const path = watchedPath(request)
    if (path === '/metrics') {
      const cloud = await opened.during(
        async (cloud): Promise<Cloud | undefined> => cloud,
        async () => undefined,
      )
      const measured = await gauges.read(cloud?.store)
      // A database that is away must not take the other metrics along.
      const isRead = cloud !== undefined && measured.store?.isReachable === true
      const sync = isRead ? await syncMetrics(cloud.store.reader, cloud.use, cloud.clock.now()).catch(() => []) : []
      const planes = [...(gateway?.metrics() ?? []), ...sync]
      return metricsAnswer(metrics.text(cloud?.streams(), front?.load(), measured, planes))
    }
    if (opened.development && isLocalStackHealth(request)) return localStackHealth(version, await health())
    if (path !== undefined)
      return healthAnswer(path, version, path === '/health/live' ? { status: 'ok' } : await health())
    if (phase === 'starting') return answerUnavailable(request, 'The server is starting.')
    return opened.during(
      async (cloud) => {
        if (isPublic(request)) return published(await cloud.document(request.path))
        if (opened.development && isForDevelopment(request)) return opened.development(request)
        return cloud.handle(request)
      },
      () => answerUnavailable(request, 'The server is sealed. An operator must unseal it.'),
    )
  }
  const webAnswer = webHandler({
    files: ConsoleFiles.open(options.web?.files),
    origins,
    version,
    site: async (request) => {
      const path = watchedPath(request)
      if (path !== undefined && path !== '/metrics') return answer(request)
      if (phase === 'starting') return answerUnavailable(request, 'The server is starting.')
      return opened.during<HttpResponse | undefined | 'sealed'>(
        (cloud) => cloud.handleWeb(request),
        async () => 'sealed',
      )
    },
  })
  const { date } = opened
  const dated = (handler: Handler): Handler =>
    !date
      ? handler
      : async (request) => {
          const { headers, ...rest } = await handler(request)
          return { ...rest, headers: { ...headers, date: date() } }
        }
  if (!isLoopback(host) && !options.tls)
    logger.log('warn', 'plain HTTP beyond this machine: secrets can be read on the network', { host })
  const tls = tlsSource(options, opened)
  let front: Front | undefined
  try {
    front = await openFront(dated(answer), dated(webAnswer), {
      host,
      port,
      web: options.web,
      origins,
      corsOrigins: options.corsOrigins ?? [],
      tls,
      proxies: options.proxies,
      uploads: services.flatMap(({ traits }) => traits?.uploads ?? []),
      admission: options.limits?.admission,
      onRefused: (why) => overload.count(why),
      logger,
    })
  } catch (error) {
    await opened.close()
    throw error
  }
  const { api } = front
  dismiss = () => front.dismiss()
  let made: RunningServer['made']
  try {
    made = await opened.begin(health)
  } catch (error) {
    await front.close()
    await opened.close()
    throw error
  }
  if (tls instanceof CertificateTls) await tls.refresh()
  phase = 'serving'
  const { url } = api
  const web = origins.web()
  logger.log('info', 'listening', { url, web, version, sealed: opened.sealed() })

  return {
    url,
    pages: web === undefined ? undefined : { console: web + CONSOLE_PATH, signIn: web + SIGN_IN_PATH },
    made,
    sealed: opened.sealed(),
    close: async () => {
      phase = 'leaving'
      front.leave()
      await resolver?.close()
      await gateway?.close()
      logger.log('info', 'draining', { lameDuckMs: options.lameDuckMs ?? 0 })
      await new Promise((done) => setTimeout(done, options.lameDuckMs ?? 0))
      await front.close()
      const isClean = await closeInTime(opened, readiness)
      if (!isClean) logger.log('warn', 'stopped without the store: it did not answer in time', {})
      overload.close()
      gauges.close()
      logger.log('info', 'stopped')
      return isClean
    },
  }
}

/** What is gathered in memory is written within this; what was acknowledged is on disk before. */
const FAREWELL_MS_MAX = 30_000
/** How often a stop checks whether its database still answers. */
const FAREWELL_CHECK_MS = 500
/** A database that does not answer so many checks in a row is not waited for. */
const FAREWELL_UNANSWERED_MAX = 2

/**
 * Returns whether everything was closed in time. The database of several nodes may go away at any moment of a stop, and every
 * write then waits for it: it is checked until everything is closed. The disk of a single server is always waited for.
 */
async function closeInTime(opened: Opened, readiness: Readiness): Promise<boolean> {
  const store = opened.store()
  const checked = store?.shared ? new Readiness(() => store.probe()) : undefined
  const isAway = async (each: Readiness) => (await each.trouble())?.reason === 'database_unreachable'
  const startedAt = performance.now()
  let unanswered = checked && (await isAway(readiness)) ? FAREWELL_UNANSWERED_MAX : 0
  let timer: NodeJS.Timeout | undefined
  let ended = false
  const giveUp = async () => {
    while (!ended && performance.now() - startedAt < FAREWELL_MS_MAX) {
      await new Promise((resolve) => {
        timer = setTimeout(resolve, FAREWELL_CHECK_MS)
      })
      if (unanswered >= FAREWELL_UNANSWERED_MAX) break
      unanswered = checked && (await isAway(checked)) ? unanswered + 1 : 0
    }
    return false
  }
  return Promise.race([opened.close().then(() => true), giveUp()]).finally(() => {
    ended = true
    clearTimeout(timer)
  })
}

interface Opened {
  /** Answers by the cloud, or otherwise while there is none. */
  during<T>(work: (cloud: Cloud) => Promise<T>, otherwise: () => Promise<T>): Promise<T>
  /**
   * Begins to work, once the process listens: from here on it acts in the node's name. Returns the accounts that this
   * start made.
   */
  begin(health: () => Promise<Health>): Promise<RunningServer['made']>
  sealed(): boolean
  /** undefined while sealed. */
  store(): Store | undefined
  fenced(): boolean
  /** For the Date header, where it is not the system's: SDKs correct their clocks by it. */
  readonly date?: () => string
  readonly development?: (request: HttpRequest) => Promise<HttpResponse>
  close(): Promise<void>
}

async function openDurable(
  world: DurableOptions,
  options: ServerOptions,
  common: Common,
  withPlane: WithPlane,
  onSealed: () => Promise<void>,
): Promise<Opened> {
  const { host, logger } = options
  ignoreDebuggerSignal()
  let made: RunningServer['made'] = []
  const reportTrouble = troubles(logger)
  const custody = await SealManager.open({
    data: world.data,
    clock: systemClock,
    logger,
    storage: world.storage,
    onSealed,
    onDestroyed: async (custody) => void (await replaceKeyrings(custody)),
    environment: process.env,
    openCloud: async ({ store, keyring }) =>
      withPlane(
        await openCloud({
          store,
          unsealed: { tree: keyring },
          clock: systemClock,
          ...common,
          blobs: common.blobs ?? store.blobs ?? folderBlobs(objectsOf(world.data)),
          ...reportTrouble,
        }),
      ),
    onUnsealed: async (cloud) => {
      made = await firstAccount(cloud, world.accountId)
    },
  })
  try {
    if (!custody.keyBesideData) forbidCoreDumps()
    const facts = factsOfThisProcess()
    if (custody.keyBesideData) refuseBeyondLoopback(host, 'the root key is in a file in the data directory')
    else refuseUnsafe(facts)
    refusePlainHttp(options)
    let socket: AdminSocket | undefined
    return {
      during: (work, otherwise) => custody.during(work, otherwise),
      begin: async (health) => {
        await unsealOrWait(custody, world, logger)
        const desk = createAdminApi(custody, () => ({ unsafe: unsafeIn(facts) }), health)
        socket = await listenForAdmin(world.data, desk, logger)
        return made
      },
      sealed: () => custody.sealed,
      store: () => (custody.sealed ? undefined : custody.unsealed().store),
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
async function unsealOrWait(custody: SealManager, world: DurableOptions, logger: Logger): Promise<void> {
  const reasons = await custody
    .unsealAutomatically({ acceptRollback: world.acceptRollback ?? false })
    .catch((error: unknown) => {
      throw asOperatorError(error, { data: world.data }) ?? error
    })
  if (!reasons) return
  const { sealers } = custody.body()
  // On data that nodes share another one may add a sealer, and its key file may yet come here.
  if (!custody.shared && sealers.every(({ settings }) => settings.kind === 'file'))
    throw new InstallationError(
      `no sealer unlocks the root key. Put back the key file that belongs to this data directory. ${reasons.join('. ').replaceAll('MERLON_SEALER_UNAVAILABLE: ', '')}`,
      'MERLON_SEALER_UNAVAILABLE',
    )
  const people = sealers.filter((sealer) => !isAutomatic(sealer)).map(({ settings }) => settings.kind)
  logger.log('warn', 'sealed: run merlon unseal', { reasons, people })
}

async function openDevelopment(
  world: DevelopmentOptions,
  { host, allowsRemoteDevelopment, logger }: ServerOptions,
  common: Common,
  withPlane: WithPlane,
): Promise<Opened> {
  if (!allowsRemoteDevelopment)
    refuseBeyondLoopback(
      host,
      'this is a development server',
      ' In a container, or on a network that you trust: --allow-remote-dev.',
    )
  else if (!isLoopback(host))
    logger.log('warn', 'development server beyond this machine: its root key moves the clock and removes all data', {
      host,
    })
  const clock = new DevelopmentClock()
  const defaultId = chooseAccountId(world.accountId ?? DEVELOPMENT_ACCOUNT)
  // The same keys after a reset, so that clients need not be configured again.
  let keys = new Map<string, RootKey>(world.rootKey ? [[defaultId, world.rootKey]] : [])
  const seed: Seed = {
    ...world.seed,
    accounts: [
      ...(world.seed?.accounts ?? []),
      ...(world.seed?.accounts.some(({ id }) => id === defaultId) ? [] : [{ id: defaultId }]),
    ],
  }
  let administrator: Administrator | undefined
  let mailbox = memoryMailer()
  const open = async (): Promise<OneAccountAtATime> => {
    const owned = ownedStore(await openStore({ file: ':memory:' }))
    const { store } = owned
    mailbox = memoryMailer()
    const inbox = mailbox
    const provides = common.provides ?? [
      provide(mail, inbox),
      provide(deliveredMail, { delivered: () => inbox.delivered() }),
    ]
    const options = { ...common, ...troubles(logger), provides }
    const opened = withPlane(await openCloud({ store, unsealed: ephemeralUnsealed(), clock, ...options }))
    keys = await applySeed(opened, seed, keys)
    if (world.seed === undefined) administrator = await addAdministrator(opened, defaultId, administrator)
    return oneAccountAtATime(opened, owned)
  }

  let { cloud, resetAccount } = await open()
  const development = {
    clock,
    cloud: () => cloud,
    mail: () => mailbox.delivered(),
    seed: async (more: Seed) => void (keys = new Map([...keys, ...(await applySeed(cloud, more, keys, keys))])),
    resetAccount: (account: string) => resetAccount(account),
    reset: async () => {
      const before = cloud
      clock.reset()
      ;({ cloud, resetAccount } = await open())
      cloud.start()
      await before.close()
    },
  }
  return {
    during: (work) => work(cloud),
    date: () => new Date(clock.now()).toUTCString(),
    begin: async () => {
      cloud.start()
      return [...keys].map(([accountId, rootKey]) => ({
        accountId,
        rootKey,
        ...(accountId === defaultId && administrator && { administrator }),
      }))
    },
    sealed: () => false,
    store: () => cloud.store,
    fenced: () => false,
    development: (request) => answerDevelopment(development, request),
    close: () => cloud.close(),
  }
}

/** The TLS of both listeners. Throws when its files cannot be used. */
function tlsSource(options: ServerOptions, opened: Opened): TlsSource | undefined {
  const { tls, host, publicUrl, web, logger } = options
  if (tls === undefined) return undefined
  const urls = [publicUrl, web?.url].filter((url) => url !== undefined)
  const own: TlsSource =
    tls.kind === 'files'
      ? new TlsFiles(tls, logger)
      : new OwnAuthority(tls.directory, namesOfServer([host, ...urls.map(hostOf), ...tls.names]), logger)
  const arn = tls.certificate
  if (arn === undefined) return own
  const read = () =>
    opened.during(
      (cloud) => readOwnCertificate(cloud, arn),
      async () => undefined,
    )
  return new CertificateTls({ arn, fallback: own, read, logger })
}

/** In use by the listeners: so it is renewed, and cannot be deleted. */
async function readOwnCertificate({ store, use }: Cloud, arn: string): Promise<UsableCertificate | undefined> {
  const found = await use(certificates).read(store.reader, arn)
  if (found && !found.inUseBy.includes(LISTENERS))
    await store.run((unit) => use(certificates).setUse(unit, arn, LISTENERS, true))
  return found
}

const LISTENERS = 'arn:aws:merlon:::listeners'

function refusePlainHttp({ host, tls, allowsPlainHttp }: ServerOptions): void {
  if (isLoopback(host) || tls || allowsPlainHttp) return
  throw new InstallationError(
    `Merlon does not send plain HTTP beyond this machine, and ${host} is no loopback address. Configure TLS: --tls-cert FILE --tls-key FILE, or --tls auto. On a network that you trust: --insecure-http.`,
    'MERLON_TLS_REQUIRED',
  )
}

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '')

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

function refuseBeyondLoopback(host: string, why: string, otherwise = ''): void {
  if (!isLoopback(host)) {
    throw new InstallationError(
      `Merlon will not listen on ${host}: ${why}, so only this machine may reach it. Use --host 127.0.0.1.${otherwise}`,
      'MERLON_ADDRESS_NOT_ALLOWED',
    )
  }
}

/** The endpoints of planes are below the same path, and not those of development. */
const isForDevelopment = ({ path }: HttpRequest): boolean =>
  path.startsWith(DEVELOPMENT_PATH) && !path.startsWith(`${PLANES_PATH}/`)

/** Published documents are requested without a signature, by GET. */
const isPublic = ({ method, path }: HttpRequest): boolean => method === 'GET' && path.startsWith(DOCUMENTS_PATH)

function published(document: object | undefined): HttpResponse {
  const headers = { 'content-type': 'application/json', 'cache-control': document ? 'public, max-age=300' : 'no-store' }
  return { status: document ? 200 : 404, headers, body: document ? JSON.stringify(document) : '{}' }
}

function logAnswer(logger: Logger, answer: RequestOutcome, all: boolean): void {
  // S3 reports throttling with a 503: caused by the caller, not by the server.
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
