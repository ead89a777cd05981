/**
 * The endpoints of planes in processes of their own, at the API's listener: a code is spent, snapshots go down by long
 * polls, records come up. Each request passes the gate of web routes: bounded, throttled, recorded.
 */
import { Fault } from '../../wire/fault.ts'
import { header } from '../../wire/http.ts'
import { MERLON_EVENT_SOURCE } from '../events/event.ts'
import type { BearerScheme } from '../service/bearer.ts'
import { route, type WebSite } from '../web/site.ts'
import { type PlaneClaims, redeemToken, spendCode } from './enrollment.ts'
import { EXCHANGE_BYTES_MAX, type ExchangeHandler } from './exchange.ts'
import { parseBatch, type RecordHandler, takeBatch } from './records.ts'
import { isSealingKey } from './sealed-secrets.ts'
import type { SnapshotsPort } from './snapshot.ts'

export const PLANES_PATH = '/_merlon/planes'
/** Of one long poll: a stop of the server waits for those that are open. */
export const POLL_MS_MAX = 5_000
const RECORDS_BYTES_MAX = 512 * 1024
const REGION = 'us-east-1'

export interface PlaneSiteOptions extends Pick<SnapshotsPort, 'feedOf'> {
  /** The account that has the events of planes in its audit log. */
  readonly owner: () => Promise<string>
  /** By plane. */
  readonly handlers: (plane: string) => readonly RecordHandler[]
  /** By plane; undefined for a plane that exchanges nothing. */
  readonly exchange: (plane: string) => ExchangeHandler | undefined
}

/** The principal of a plane, as the audit log names it. */
export const planePrincipal = (plane: string): string => `${plane}.planes.merlon.internal`

export function planeSite({ feedOf, owner, handlers, exchange }: PlaneSiteOptions): WebSite {
  const scheme: BearerScheme<PlaneClaims> = {
    token: (request) => /^Bearer (\S+)$/.exec(header(request, 'authorization') ?? '')?.[1],
    verify: async (token, at) => {
      const claims = await redeemToken(token, at)
      if (!claims) throw new Fault('Unauthorized', 'The token of the plane is invalid or revoked.', { status: 401 })
      const invokedBy = planePrincipal(claims.plane)
      return {
        account: await owner(),
        region: REGION,
        identity: { type: 'AWSService', invokedBy, principalId: `${invokedBy}/${claims.node}` },
        claims,
      }
    },
  }
  /** A token of one plane gets nothing of another. */
  const own = ({ plane }: PlaneClaims, named: string | undefined): string => {
    if (plane !== named) throw new Fault('AccessDenied', `The token is not of the plane ${named}.`, { status: 403 })
    return plane
  }

  return {
    service: 'merlon',
    eventSource: MERLON_EVENT_SOURCE,
    base: PLANES_PATH,
    listener: 'api',
    isForPlanes: true,
    printFault: ({ code, message, status }) => ({ json: { code, message }, status }),
    routes: [
      route({
        method: 'POST',
        path: '/:plane/enroll',
        event: 'EnrollPlane',
        authentication: 'anonymous',
        body: 'json',
        bodyBytesMax: 4_096,
        // Not a form of a browser: the code proves the sender.
        crossOrigin: true,
        shown: ['plane'],
        run: async (call, { path: { plane = '' }, json }) => {
          const { code, node, sealingKey } = (json ?? {}) as Readonly<Record<string, unknown>>
          call.recordIn(await owner())
          const token =
            typeof code === 'string' && typeof node === 'string'
              ? await spendCode(
                  call.unit,
                  call.vault,
                  { plane, secret: code, node, sealingKey: isSealingKey(sealingKey) ? sealingKey : undefined },
                  call.now,
                )
              : undefined
          if (token === undefined)
            throw new Fault('AccessDenied', 'The enrollment code is unknown, spent or expired.', { status: 403 })
          return { json: { token, publicKey: call.vault.installationPublicKey().toString('base64') } }
        },
      }),
      route<PlaneClaims>({
        method: 'GET',
        path: '/:plane/snapshot',
        event: 'GetSnapshot',
        authentication: { bearer: scheme },
        body: 'none',
        bodyBytesMax: 0,
        shown: ['plane', 'after'],
        run: async (call, { path, query }) => {
          const plane = own(call.claims, path['plane'])
          const after = Number(query['after'] ?? -1)
          if (!Number.isSafeInteger(after)) throw new Fault('BadRequest', "'after' is not a number.", { status: 400 })
          const waitMs = Math.min(Math.max(Number(query['wait'] ?? POLL_MS_MAX) || 0, 0), POLL_MS_MAX)
          const snapshot = await call.once(() => feedOf(plane, call.claims.scope).next(after, waitMs))
          // A poll that brings nothing is not worth an event.
          if (!snapshot) call.event.isUnrecorded = true
          return { json: { snapshot: snapshot ?? null } }
        },
      }),
      route<PlaneClaims>({
        method: 'POST',
        path: '/:plane/records',
        event: 'PutRecords',
        authentication: { bearer: scheme },
        body: 'json',
        bodyBytesMax: RECORDS_BYTES_MAX,
        shown: ['plane'],
        run: async (call, { path, json }) => {
          const plane = own(call.claims, path['plane'])
          const batch = parseBatch(json)
          if (!batch) throw new Fault('BadRequest', 'The body is not a batch of records.', { status: 400 })
          // Planes report all the time: what they report is kept, not that they did.
          call.event.isUnrecorded = true
          await takeBatch(call.unit, call.claims, batch, handlers(plane), call.now)
          return { json: { sequence: batch.sequence } }
        },
      }),
      route<PlaneClaims>({
        method: 'POST',
        path: '/:plane/exchange',
        event: 'ExchangeMessages',
        authentication: { bearer: scheme },
        body: 'json',
        bodyBytesMax: EXCHANGE_BYTES_MAX,
        shown: ['plane'],
        run: async (call, { path, json }) => {
          const plane = own(call.claims, path['plane'])
          const handle = exchange(plane)
          if (!handle || typeof json !== 'object' || json === null)
            throw new Fault('BadRequest', 'The plane exchanges no such messages.', { status: 400 })
          // Every second: what is exchanged is kept for seconds, and is no event.
          call.event.isUnrecorded = true
          const message = json as Readonly<Record<string, unknown>>
          return {
            json: await handle(call.unit, { node: call.claims.node, scope: call.claims.scope, now: call.now, message }),
          }
        },
      }),
    ],
  }
}
