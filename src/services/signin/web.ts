/** Routes of the sign-in pages: their common shape, and limits. */
import {
  type Awaitable,
  route,
  type WebAnswer,
  type WebCall,
  type WebInput,
  type WebRoute,
} from '../../kernel/web/site.ts'
import type { Claims } from './claims.ts'

/** Two passwords of the greatest length, percent-encoded, and a ticket. */
const FORM_BYTES_MAX = 16 * 1024

type Run<C> = (call: WebCall<C>, input: WebInput) => Awaitable<WebAnswer>

interface Options {
  readonly bodyBytesMax?: number
  readonly shown?: readonly string[]
  readonly crossOrigin?: true
}

/** A page that anyone may load. */
export const get = (path: string, event: string, run: Run<undefined>): WebRoute =>
  route({ method: 'GET', path, event, authentication: 'anonymous', body: 'none', bodyBytesMax: 0, shown: [], run })

/** A form of someone who is not signed in. */
export const post = (path: string, event: string, run: Run<undefined>, options: Options = {}): WebRoute =>
  route({
    method: 'POST',
    path,
    event,
    authentication: 'anonymous',
    body: 'form',
    bodyBytesMax: options.bodyBytesMax ?? FORM_BYTES_MAX,
    shown: options.shown ?? [],
    ...(options.crossOrigin && { crossOrigin: true }),
    run,
  })

export const getSignedIn = (path: string, event: string, run: Run<Claims>): WebRoute =>
  route<Claims>({
    method: 'GET',
    path,
    event,
    authentication: 'session',
    body: 'none',
    bodyBytesMax: 0,
    shown: [],
    run: (call, input) => {
      call.event.isUnrecorded = true
      return run(call, input)
    },
  })

export const postSignedIn = (path: string, event: string, run: Run<Claims>, options: Options = {}): WebRoute =>
  route<Claims>({
    method: 'POST',
    path,
    event,
    authentication: 'session',
    body: 'form',
    bodyBytesMax: options.bodyBytesMax ?? FORM_BYTES_MAX,
    shown: options.shown ?? [],
    run: (call, input) => {
      // The operations that it calls, and the events that it defines, record what happened.
      call.event.isUnrecorded = true
      return run(call, input)
    },
  })
