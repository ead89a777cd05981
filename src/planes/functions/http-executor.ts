/** Runs a function behind HTTPS: the event is posted to it, signed by the execution role, and its answer is the answer. */
import { request } from 'node:https'
import type { FunctionOutcome, FunctionRun } from '../../kernel/ports/functions.ts'
import type { HttpRequest } from '../../wire/http.ts'
import { sign } from '../../wire/sigv4/index.ts'
import type { Egress, SocketAddress } from './egress.ts'
import { ANSWER_BYTES_MAX, failed, succeeded, timedOut } from './outcome.ts'

export interface HttpHost {
  readonly egress: Egress
  readonly now: () => number
  /** More certificates to trust, in PEM. Default: the system's and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string | undefined
}

const NO_LOG = Buffer.alloc(0)

export async function runHttp(url: string, run: FunctionRun, host: HttpHost): Promise<FunctionOutcome> {
  const to = new URL(url)
  const signal = AbortSignal.timeout(run.timeoutMs)
  try {
    const place = await host.egress.place(to.hostname, Number(to.port || 443))
    const { status, body } = await post(to, place, signedEvent(to, run, host.now()), signal, host.ca)
    if (status < 300) return answered(body)
    return failed(
      wordsOf(body) ?? { errorType: 'HttpError', errorMessage: `${to.host} answered ${status}` },
      NO_LOG,
      'Handled',
    )
  } catch (error) {
    if (signal.aborted) return timedOut(run.requestId, run.timeoutMs, host.now(), NO_LOG)
    const { name, message } = error as Error
    return failed({ errorType: name, errorMessage: message }, NO_LOG)
  }
}

function answered(body: Buffer): FunctionOutcome {
  const payload = body.length === 0 ? Buffer.from('null') : body
  try {
    JSON.parse(payload.toString('utf8'))
  } catch {
    return failed({ errorType: 'Runtime.MarshalError', errorMessage: 'The answer is not JSON.' }, NO_LOG)
  }
  return succeeded(payload, NO_LOG)
}

/** A function may say what went wrong as functions do. A redirect says nothing: it is not followed. */
function wordsOf(body: Buffer): { errorMessage: string; errorType?: string } | undefined {
  try {
    const { errorMessage, errorType } = JSON.parse(body.toString('utf8'))
    if (typeof errorMessage !== 'string') return undefined
    return { errorMessage, ...(typeof errorType === 'string' && { errorType }) }
  } catch {
    return undefined
  }
}

function signedEvent(to: URL, run: FunctionRun, nowMs: number): HttpRequest {
  const event: HttpRequest = {
    method: 'POST',
    path: to.pathname,
    query: to.search.slice(1),
    rawHeaders: [
      ...['Host', to.host, 'Content-Type', 'application/json'],
      ...['Lambda-Runtime-Aws-Request-Id', run.requestId, 'Lambda-Runtime-Invoked-Function-Arn', run.arn],
    ],
    body: run.payload,
    remoteAddress: '127.0.0.1',
    secure: true,
  }
  const { accessKeyId, secretAccessKey: secret, sessionToken } = run.credential
  return sign(event, { accessKeyId, secret, sessionToken }, { region: run.region, service: 'lambda', nowMs })
}

function post(
  to: URL,
  { address, port }: SocketAddress,
  event: HttpRequest,
  signal: AbortSignal,
  ca: string | undefined,
) {
  return new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
    const sent = request(
      {
        method: 'POST',
        host: address,
        port,
        servername: to.hostname,
        path: event.path + (event.query && `?${event.query}`),
        headers: [...event.rawHeaders, 'Content-Length', String(event.body.length)],
        agent: false,
        signal,
        ...(ca !== undefined && { ca }),
      },
      (answer) => {
        const chunks: Buffer[] = []
        let length = 0
        answer.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > ANSWER_BYTES_MAX) sent.destroy(new Error(`${to.host} answers too much`))
          else chunks.push(chunk)
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }))
        answer.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(event.body)
  })
}
