/** The SDK's way to a gate in the same process: a request handler that is no socket. */
import { Readable } from 'node:stream'
import type { Gate } from '../src/kernel/gate/gate.ts'
import type { HttpRequest } from '../src/wire/http.ts'

interface SentRequest {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** For the `requestHandler` of any client. `tamper` changes a signed request on its way. */
export function throughGate(gate: Pick<Gate, 'handle'>, tamper = (request: HttpRequest) => request) {
  return {
    async handle(sent: SentRequest) {
      const query = Object.entries(sent.query ?? {}).flatMap(([name, value]) =>
        [value ?? ''].flat().map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`),
      )
      const request: HttpRequest = {
        method: sent.method,
        path: sent.path,
        query: query.join('&'),
        rawHeaders: Object.entries(sent.headers).flat(),
        body: Buffer.from(sent.body ?? ''),
        remoteAddress: '127.0.0.1',
        secure: false,
      }
      const { status, headers, body } = await gate.handle(tamper(request))
      return { response: { statusCode: status, headers, body: Readable.from([Buffer.from(body)]) } }
    },
  }
}
