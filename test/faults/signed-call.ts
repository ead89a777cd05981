/** One signed call to one node, and all that its caller can know of how it ended. */
import { Agent, request as send } from 'node:http'
import { ApiError, Client, type Transport } from '../../src/kernel/client/client.ts'
import type { HttpRequest, HttpResponse } from '../../src/wire/http.ts'
import type { MadeAccount } from '../process.ts'

/**
 * `refused`: the response says that nothing was done. `unsent`: it never reached a node. `unknown`: no response in
 * time, or a fault of the server's own; it may have been done.
 */
export type Answered<T> =
  | { readonly is: 'answered'; readonly output: T; readonly requestId: string }
  | { readonly is: 'refused'; readonly code: string; readonly message: string }
  | { readonly is: 'unsent' }
  | { readonly is: 'unknown'; readonly why: string }

export class SignedCaller {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #account: MadeAccount
  readonly #withinMs: number

  constructor(account: MadeAccount, withinMs: number) {
    this.#account = account
    this.#withinMs = withinMs
  }

  /** `call` makes one request; its client repeats nothing. */
  async ask<T>(url: string, call: (client: Client) => Promise<T>): Promise<Answered<T>> {
    let answer: HttpResponse | undefined
    const transport: Transport = {
      host: new URL(url).host,
      send: async (request) => (answer = await this.#send(url, request)),
    }
    const { accessKeyId, secretAccessKey: secret } = this.#account
    try {
      const output = await call(new Client({ credential: { accessKeyId, secret }, transport }))
      return { is: 'answered', output, requestId: answer!.headers['x-amzn-requestid'] ?? '' }
    } catch (error) {
      if (answer && answer.status >= 500) return { is: 'unknown', why: `${answer.status} ${(error as Error).message}` }
      if (error instanceof ApiError) return { is: 'refused', code: error.code, message: error.message }
      const { code = '', message } = error as NodeJS.ErrnoException
      return code === 'ECONNREFUSED' ? { is: 'unsent' } : { is: 'unknown', why: code || message }
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #send(url: string, { method, path, rawHeaders, body }: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const headers = [...rawHeaders, 'Content-Length', String(body.length)]
      const signal = AbortSignal.timeout(this.#withinMs)
      const asked = send(url + path, { method, headers, agent: this.#agent, signal }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const told = Object.entries(answer.headers).map(([name, value]) => [name, String(value)])
          resolve({ status: answer.statusCode!, headers: Object.fromEntries(told), body: Buffer.concat(chunks) })
        })
      })
      asked.on('error', reject)
      asked.end(body)
    })
  }
}
