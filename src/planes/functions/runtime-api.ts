/**
 * One invocation as Lambda's Runtime API tells it: the function fetches its event, and posts what came of it.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { FunctionRun } from '../../kernel/functions.ts'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import { answerOverHttp } from '../../wire/node-http.ts'
import { ANSWER_BYTES_MAX } from './outcome.ts'

export type Ended =
  | { readonly kind: 'response'; readonly body: Buffer }
  | { readonly kind: 'error'; readonly body: Buffer }

const PREFIX = '/2018-06-01/runtime/'

export interface RuntimeApi {
  readonly server: Server
  readonly ended: Promise<Ended>
}

export function runtimeApi(run: FunctionRun, deadlineMs: number): RuntimeApi {
  let end: (ended: Ended) => void
  const ended = new Promise<Ended>((resolve) => {
    end = resolve
  })
  let given = false
  const handle = async ({ method, path, body }: HttpRequest): Promise<HttpResponse> => {
    const asked = path.startsWith(PREFIX) ? `${method} ${path.slice(PREFIX.length)}` : ''
    switch (asked) {
      case 'GET invocation/next':
        // There is one event; whoever asks for another waits until the sandbox ends.
        if (given) return new Promise<HttpResponse>(() => undefined)
        given = true
        return { status: 200, headers: headersOf(run, deadlineMs), body: run.payload }
      case `POST invocation/${run.requestId}/response`:
        end({ kind: 'response', body: Buffer.from(body) })
        return accepted()
      case `POST invocation/${run.requestId}/error`:
      case 'POST init/error':
        end({ kind: 'error', body: Buffer.from(body) })
        return accepted()
      default:
        return { status: 404, headers: {}, body: '{}' }
    }
  }
  const server = createServer((request, response) => {
    answerOverHttp(handle, request, response, ANSWER_BYTES_MAX + 1024).catch(() => response.destroy())
  })
  return { server, ended }
}

const accepted = (): HttpResponse => ({
  status: 202,
  headers: { 'content-type': 'application/json' },
  body: '{"status":"OK"}',
})

const headersOf = ({ requestId, arn }: FunctionRun, deadlineMs: number) => ({
  'content-type': 'application/json',
  'lambda-runtime-aws-request-id': requestId,
  'lambda-runtime-deadline-ms': String(deadlineMs),
  'lambda-runtime-invoked-function-arn': arn,
})
