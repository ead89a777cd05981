/**
 * Lambda's Runtime API for one invocation: the runtime fetches the event and brings back what came of it.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FunctionRun } from '../../kernel/ports/functions.ts'
import { readBody } from '../../wire/node-http.ts'
import { ANSWER_BYTES_MAX } from './outcome.ts'

const PREFIX = '/2018-06-01/runtime'

/** What the runtime said. */
export type Said =
  | { readonly kind: 'response' | 'error' | 'init-error'; readonly body: Buffer }
  /** More than an answer may hold. */
  | { readonly kind: 'too-large' }

export interface Listening {
  /** The runtime is ready: from now on its time runs. Returns when it must be done, epoch milliseconds. */
  began(): number
  said(said: Said): void
}

export function runtimeApi(run: FunctionRun, listening: Listening) {
  let given = false
  let ended = false
  const end = (said: Said) => {
    if (!ended) listening.said(said)
    ended = true
  }

  const next = (response: ServerResponse) => {
    // One event a sandbox: a request for another waits until it is taken down.
    if (given) return
    given = true
    response.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': run.requestId,
      'lambda-runtime-deadline-ms': String(listening.began()),
      'lambda-runtime-invoked-function-arn': run.arn,
    })
    response.end(run.payload)
  }

  const take = async (
    kind: 'response' | 'error' | 'init-error',
    request: IncomingMessage,
    response: ServerResponse,
  ) => {
    const body = await readBody(request, ANSWER_BYTES_MAX)
    reply(response, body ? 202 : 413, body ? { status: 'OK' } : problem('RequestEntityTooLarge'))
    end(body ? { kind, body } : { kind: 'too-large' })
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    switch (`${request.method} ${request.url}`) {
      case `GET ${PREFIX}/invocation/next`:
        return next(response)
      case `POST ${PREFIX}/init/error`:
        return take('init-error', request, response)
      case `POST ${PREFIX}/invocation/${run.requestId}/response`:
        return given ? take('response', request, response) : reply(response, 403, problem('InvalidStateTransition'))
      case `POST ${PREFIX}/invocation/${run.requestId}/error`:
        return given ? take('error', request, response) : reply(response, 403, problem('InvalidStateTransition'))
      default: {
        const known = request.url?.startsWith(`${PREFIX}/invocation/`) && request.method === 'POST'
        return reply(response, known ? 400 : 404, problem(known ? 'InvalidRequestID' : 'NotFound'))
      }
    }
  }
}

const problem = (errorType: string) => ({ errorType, errorMessage: errorType })

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
