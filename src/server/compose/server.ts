/** A running server: one cloud, one listener, what watches it, and how it ends. */
import { join } from 'node:path'
import type { RequestOutcome } from '../../kernel/gate/gate.ts'
import { Throttle } from '../../kernel/gate/throttle.ts'
import { GATEWAY } from '../../kernel/planes/gateway-content.ts'
import { RESOLVER } from '../../kernel/planes/observed-queries.ts'
import { PLANES_PATH } from '../../kernel/planes/plane-site.ts'
import { mail } from '../../kernel/ports/mail.ts'
import { provide } from '../../kernel/ports/port.ts'
import { DOCUMENTS_PATH } from '../../kernel/service/documents.ts'
import type { Upload } from '../../kernel/service/traits.ts'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import { DEVELOPMENT_PATH } from '../dev/development.ts'
import { CertificateTls } from '../listen/certificate-tls.ts'
import { type Front, openFront } from '../listen/front.ts'
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
import { isSocketPath } from '../listen/private-socket.ts'
import { SetupLog } from '../listen/setup-log.ts'
import { answerUnavailable } from '../listen/unavailable-answer.ts'
import { ServerPlane } from '../plane/server-plane.ts'
import { ConsoleFiles } from '../web/console-files.ts'
import { Origins } from '../web/origins.ts'
import { CONSOLE_PATH, SIGN_IN_PATH, webHandler } from '../web/web-handler.ts'
import { closeInTime } from './closing.ts'
import type { Cloud } from './cloud.ts'
import { coreServices } from './core-services.ts'
import { apiSocketOf } from './installation.ts'
import type { Logger } from './log.ts'
import { openDevelopment } from './open-development.ts'
import { openDurable } from './open-durable.ts'
import type { Common, WithPlane } from './opened.ts'
import { isLoopback } from './safe-address.ts'
import type { RunningServer, ServerOptions } from './server-options.ts'
import { tlsSource } from './server-tls.ts'

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
  const mayLog = onceAMinute()
  const onDecisionError = (error: unknown, requestId: string) => {
    metrics.countDecisionError()
    // A policy that cannot be evaluated is evaluated with every call.
    if (mayLog('decision'))
      logger.log('error', 'a policy decision failed, and the call was denied', { requestId, error })
  }
  const onServiceFailure = (work: string, error: unknown) => {
    metrics.countServiceFailure(work)
    if (mayLog(work)) logger.log('error', 'work of a service failed and is repeated', { work, error })
  }
  const uploads = new Set<Upload>()
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
    onServiceFailure,
    services: coreServices,
    later: async () => (await import('./later-services.ts')).laterServices,
    onOpened: (services) => {
      for (const { traits } of services) for (const upload of traits?.uploads ?? []) uploads.add(upload)
    },
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
      const services = isRead ? await cloud.metrics() : []
      const planes = [...(gateway?.metrics() ?? []), ...services]
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
      path: world.kind === 'durable' ? apiSocketIn(world.data) : undefined,
      web: options.web,
      origins,
      corsOrigins: options.corsOrigins ?? [],
      tls,
      proxies: options.proxies,
      uploads,
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

/** Undefined where the path of the directory is too long for a socket. */
function apiSocketIn(data: string): string | undefined {
  const path = apiSocketOf(data)
  return isSocketPath(path) ? path : undefined
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

/** Whether a message of this name may be logged: one in a minute. */
function onceAMinute(): (name: string) => boolean {
  const loggedAt = new Map<string, number>()
  return (name) => {
    const now = performance.now()
    if (now - (loggedAt.get(name) ?? Number.NEGATIVE_INFINITY) < 60_000) return false
    loggedAt.set(name, now)
    return true
  }
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
