/** Forwards a request to a target and its response to the client; failures answer as an application load balancer does. */
import { randomInt } from 'node:crypto'
import type { Duplex, Readable } from 'node:stream'
import { type Dispatcher, errors } from 'undici'
import type { PublishedAction, PublishedTarget, PublishedTargetGroup } from '../../kernel/planes/gateway-content.ts'
import { cookieOf, type SealedCookies } from '../../kernel/web-acl-tokens/sealed-cookies.ts'
import type { GatewayMetrics } from './gateway-metrics.ts'
import { downstreamHeaders, upstreamHeaders } from './headers.ts'
import { relay } from './relay.ts'
import type { GatewayRequest, Header } from './request.ts'
import { respondStatus } from './responses.ts'
import type { Route } from './routing.ts'
import { originOf, type Pools, type TargetChoice } from './upstream.ts'

export interface ForwardParts {
  readonly pools: Pools
  readonly choice: TargetChoice
  readonly cookies: SealedCookies
  readonly metrics: GatewayMetrics
  readonly groups: ReadonlyMap<string, PublishedTargetGroup>
}

type ForwardAction = Extract<PublishedAction, { type: 'forward' }>

/** The cookies of Application Load Balancers. */
const TARGET_COOKIE = 'AWSALB'
const GROUP_COOKIE = 'AWSALBTG'
const ATTEMPTS_MAX = 3

interface Sticky {
  readonly name: string
  readonly until: number
}

function stuck(request: GatewayRequest, cookies: SealedCookies, kind: 'group' | 'target', now: number) {
  const text = cookieOf(request.headers, kind === 'group' ? GROUP_COOKIE : TARGET_COOKIE)
  const sticky = text === undefined ? undefined : (cookies.open(kind, text) as Sticky | undefined)
  return sticky && sticky.until > now ? sticky.name : undefined
}

/** By weights; a group of weight 0 gets no requests. */
function chosenGroup(action: ForwardAction, stays: string | undefined): string | undefined {
  const usable = action.groups.filter(({ weight }) => weight > 0)
  if (stays !== undefined && usable.some(({ arn }) => arn === stays)) return stays
  const sum = usable.reduce((total, { weight }) => total + weight, 0)
  if (sum === 0) return undefined
  let at = randomInt(sum)
  for (const { arn, weight } of usable) {
    if (at < weight) return arn
    at -= weight
  }
  return undefined
}

interface Chosen {
  readonly group: PublishedTargetGroup
  /** Cookies that keep the client where it is. */
  readonly cookiesFor: (target: PublishedTarget) => readonly Header[]
  readonly choose: (except: ReadonlySet<string>) => PublishedTarget | undefined
}

function chosen(request: GatewayRequest, action: ForwardAction, parts: ForwardParts): Chosen | undefined {
  const { cookies, choice, groups } = parts
  const now = Date.now()
  const sticksToGroup = action.stickySeconds !== undefined && action.groups.length > 1
  const arn = chosenGroup(action, sticksToGroup ? stuck(request, cookies, 'group', now) : undefined)
  const group = arn === undefined ? undefined : groups.get(arn)
  if (!group) return undefined
  const stays = group.stickySeconds === undefined ? undefined : stuck(request, cookies, 'target', now)
  const cookie = (name: string, kind: 'group' | 'target', value: string, seconds: number): Header => {
    const sealed = cookies.seal(kind, { name: value, until: now + seconds * 1_000 } satisfies Sticky)
    const expires = new Date(now + seconds * 1_000).toUTCString()
    return ['Set-Cookie', `${name}=${sealed}; Expires=${expires}; Path=/; HttpOnly`]
  }
  return {
    group,
    choose: (except) => choice.choose(group, stays, except),
    cookiesFor: (target) => [
      ...(sticksToGroup ? [cookie(GROUP_COOKIE, 'group', group.arn, action.stickySeconds!)] : []),
      ...(group.stickySeconds === undefined ? [] : [cookie(TARGET_COOKIE, 'target', target.name, group.stickySeconds)]),
    ],
  }
}

/** After how long connections without traffic end. */
export const idleMs = ({ balancer }: Route): number =>
  Number(balancer.attributes['idle_timeout.timeout_seconds'] ?? 60) * 1_000

const pathOf = ({ path, query }: GatewayRequest): string => (query === undefined ? path : `${path}?${query}`)

/** `body` is what was read of it; undefined where the request has none, or it streams. */
export async function forward(
  request: GatewayRequest,
  route: Route,
  action: ForwardAction,
  body: Buffer | Readable | undefined,
  inserted: readonly Header[],
  parts: ForwardParts,
): Promise<void> {
  const found = chosen(request, action, parts)
  const isRepeatable = body === undefined || Buffer.isBuffer(body)
  const isSafe = ['GET', 'HEAD', 'OPTIONS'].includes(request.method)
  const headers = upstreamHeaders(request, route.balancer, route.listener, inserted).flat()
  const tried = new Set<string>()
  let failure: unknown
  for (let attempt = 0; found && attempt < ATTEMPTS_MAX; attempt++) {
    const target = found.choose(tried)
    if (!target) break
    tried.add(target.name)
    try {
      return await relayFrom(target, found, request, route, headers, body, parts)
    } catch (error) {
      if (request.departure.isGone) return
      failure = error
      const mayRepeat = isRepeatable && (wasNotSent(error) || (isSafe && !isTimeout(error)))
      if (!mayRepeat) break
    }
  }
  const reason = !found || failure === undefined ? 'no_target' : isTimeout(failure) ? 'timeout' : 'connection'
  parts.metrics.upstreamFailed(route.balancer.arn, reason)
  respondStatus(request, STATUSES[reason])
}

/** One attempt. */
function relayFrom(
  target: PublishedTarget,
  { group, cookiesFor }: Chosen,
  request: GatewayRequest,
  route: Route,
  headers: readonly string[],
  body: Buffer | Readable | undefined,
  { pools, choice }: ForwardParts,
): Promise<void> {
  const options: Dispatcher.DispatchOptions = {
    method: request.method as Dispatcher.HttpMethod,
    path: pathOf(request),
    headers: headers as string[],
    body: body ?? null,
    headersTimeout: idleMs(route),
    bodyTimeout: idleMs(route),
  }
  return relay(pools.of(originOf(group, target)), options, {
    request,
    ended: choice.begin(group, target),
    headOf: (status, raw) => ({
      status,
      headers: [...downstreamHeaders(raw, route.listener), ...cookiesFor(target)],
    }),
  })
}

const STATUSES = { no_target: 503, timeout: 504, connection: 502 } as const

const isTimeout = (error: unknown): boolean =>
  error instanceof errors.HeadersTimeoutError ||
  error instanceof errors.ConnectTimeoutError ||
  error instanceof errors.BodyTimeoutError

/** The target never got anything of the request. */
const wasNotSent = (error: unknown): boolean =>
  error instanceof errors.ConnectTimeoutError ||
  ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'].includes((error as NodeJS.ErrnoException).code ?? '')

/**
 * A WebSocket (RFC 6455 §4): after the target agrees, bytes pass both ways until one side is silent for the idle timeout. A target that does
 * not agree answers as to any request, and the connection of the client ends with that: nothing that it sent behind its request is read as
 * another one.
 */
export async function forwardUpgrade(
  request: GatewayRequest,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  route: Route,
  action: ForwardAction,
  inserted: readonly Header[],
  parts: ForwardParts,
): Promise<void> {
  const found = chosen(request, action, parts)
  const target = found?.choose(new Set())
  if (!found || !target) return respondStatus(request, 503)
  const end = parts.choice.begin(found.group, target)
  socket.on('close', end)
  const options: Dispatcher.DispatchOptions = {
    method: 'GET',
    path: pathOf(request),
    headers: upstreamHeaders(request, route.balancer, route.listener, inserted).flat() as string[],
    upgrade: 'websocket',
    headersTimeout: idleMs(route),
    bodyTimeout: idleMs(route),
  }
  try {
    await relay(parts.pools.of(originOf(found.group, target)), options, {
      request,
      ended: end,
      headOf: (status, raw) => ({
        status,
        headers: [...downstreamHeaders(raw, route.listener), ...found.cookiesFor(target)],
      }),
      upgraded: (raw, upstream) => {
        const kept = raw.filter(([name]) => !NOT_OF_UPGRADES.has(name.toLowerCase()))
        const lines = [...kept, ...found.cookiesFor(target), ['Connection', 'Upgrade'], ['Upgrade', 'websocket']]
        request.onAnswer?.(101)
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
          'latin1',
        )
        join(socket, upstream, head, idleMs(route))
      },
    })
  } catch (error) {
    end()
    if (!request.departure.isGone) respondStatus(request, isTimeout(error) ? 504 : 502)
  }
}

const NOT_OF_UPGRADES = new Set(['connection', 'upgrade', 'content-length', 'transfer-encoding'])

function join(client: Duplex, upstream: Duplex, head: Buffer, silentMs: number): void {
  const both = [client, upstream]
  const end = () => {
    clearTimeout(timer)
    for (const each of both) each.destroy()
  }
  let timer = setTimeout(end, silentMs)
  const seen = () => {
    clearTimeout(timer)
    timer = setTimeout(end, silentMs)
  }
  for (const each of both) each.on('error', end).on('close', end).on('data', seen)
  if (head.length > 0) upstream.write(head)
  client.pipe(upstream)
  upstream.pipe(client)
}
