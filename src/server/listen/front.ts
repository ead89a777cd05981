/** The listeners of a server: of the API, and of pages on an origin of their own. */
import type { Upload } from '../../kernel/service/traits.ts'
import type { HttpRequest } from '../../wire/http.ts'
import type { Logger } from '../compose/log.ts'
import { Cors } from '../web/cors.ts'
import type { Origins } from '../web/origins.ts'
import { type AdmissionLimits, admissionDefaults, type Load, type Refusal } from './admission.ts'
import { isWatched } from './health.ts'
import { type Handler, type Listener, listen } from './listener.ts'
import type { TlsSource } from './tls.ts'
import type { TrustedProxies } from './trusted-proxies.ts'

export interface FrontOptions {
  readonly host: string
  readonly port: number
  /** A Unix socket that the API is served at, too: for labs of this machine, which name the client of each connection. */
  readonly path?: string | undefined
  /** Undefined: pages are not served. */
  readonly web: WebListenerOptions | undefined
  readonly origins: Origins
  /** Origins besides the console's whose pages may call the API. */
  readonly corsOrigins: readonly string[]
  /** Undefined: plain HTTP. */
  readonly tls?: TlsSource | undefined
  readonly proxies?: TrustedProxies | undefined
  /** Requests whose bodies the API takes although they are large. */
  readonly uploads?: Iterable<Upload> | undefined
  readonly admission: AdmissionLimits | undefined
  readonly onRefused: (why: Refusal) => void
  readonly logger: Logger
}

export interface WebListenerOptions {
  /** Undefined: the port after the API's, or any free one where the API takes any. */
  readonly port: number | undefined
}

export interface Front {
  readonly api: Listener
  readonly web: Listener | undefined
  load(): Load
  leave(): void
  dismiss(): Promise<void>
  close(): Promise<void>
}

const KIB = 1024
const MIB = 1024 * KIB

/** Pages and forms are small and few: they must not take what the API has. */
const WEB_BODY_BYTES_MAX = 256 * KIB
const WEB_ADMISSION: AdmissionLimits = {
  ...admissionDefaults,
  requestsMax: 512,
  bodyBytesMax: 16 * MIB,
  uploadBytesMax: 0,
  answerBytesMax: 32 * MIB,
}

export async function openFront(apiHandler: Handler, webHandler: Handler, options: FrontOptions): Promise<Front> {
  const { host, origins, onRefused, tls, proxies } = options
  const isVital = ({ method = '', url = '' }) => isWatched(method, url)
  const { uploads, admission } = options
  const common = { host, uploads, admission, isVital, onRefused }
  const handler = withCors(apiHandler, options)
  const api = await listen(handler, { ...common, port: options.port, tls, proxies })
  const openWeb = (port: number) =>
    listen(webHandler, {
      host,
      port,
      tls,
      http2: true,
      proxies,
      bodyBytesMax: WEB_BODY_BYTES_MAX,
      admission: WEB_ADMISSION,
      isVital,
      onRefused,
    })
  let local: Listener | undefined
  try {
    if (options.path !== undefined) local = await listen(handler, { ...common, port: 0, path: options.path })
    const web = options.web && (await openBeside(api, options, openWeb))
    const listeners = [api, local, web].filter((each) => each !== undefined)
    origins.listening(api, web)
    return {
      api,
      web,
      load: () => listeners.map((each) => each.load()).reduce(sumOfLoads),
      leave: () => {
        for (const each of listeners) each.leave()
      },
      dismiss: async () => void (await Promise.all(listeners.map((each) => each.dismiss()))),
      close: async () => void (await Promise.all(listeners.map((each) => each.close()))),
    }
  } catch (error) {
    await local?.close()
    await api.close()
    throw error
  }
}

const PORT_MAX = 65_535

/** A default port that is in use does not keep the API from starting. */
async function openBeside(
  api: Listener,
  { web, port, logger }: FrontOptions,
  open: (port: number) => Promise<Listener>,
): Promise<Listener | undefined> {
  if (web?.port !== undefined) return open(web.port)
  const next = port === 0 ? 0 : api.port + 1
  try {
    if (next > PORT_MAX) throw Object.assign(new Error(`there is no port ${next}`), { code: 'EADDRINUSE' })
    return await open(next)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    const help = 'Choose another port: --console-port PORT'
    logger.log('warn', 'the console and the sign-in pages are not served: their port is in use', { port: next, help })
    return undefined
  }
}

function withCors(handler: Handler, { corsOrigins, origins }: FrontOptions): Handler {
  const cors = new Cors(new Set(corsOrigins), (origin, request) => origins.isWeb(origin, request))
  return async (request: HttpRequest) => cors.preflight(request) ?? cors.allow(request, await handler(request))
}

function sumOfLoads(a: Load, b: Load): Load {
  const reasons = Object.keys(a.refused) as Refusal[]
  return {
    requests: a.requests + b.requests,
    bodyBytes: a.bodyBytes + b.bodyBytes,
    answerBytes: a.answerBytes + b.answerBytes,
    refused: Object.fromEntries(reasons.map((why) => [why, a.refused[why] + b.refused[why]])) as Load['refused'],
  }
}
