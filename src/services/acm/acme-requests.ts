/** Requests of ACME clients (RFC 8555 §6): signed by an account that is valid, at its endpoint, each with a nonce that is new. */
import { route, type WebAnswer, type WebCall, type WebInput, type WebRoute } from '../../kernel/web/site.ts'
import type { Key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { type Jws, parseJws, problem, verifyJws } from './acme-jws.ts'
import { newNonce, spendNonce } from './acme-nonces.ts'
import {
  type AccountRow,
  accountKey,
  accountUrl,
  acmeUrl,
  type BindingRow,
  bindingKey,
  type EndpointRow,
  endpointPlaceKey,
} from './acme-resources.ts'

export const BODY_BYTES_MAX = 32_768

export interface Called {
  readonly call: WebCall
  readonly row: EndpointRow
}

export async function endpointAt(call: WebCall, id: string): Promise<EndpointRow> {
  const place = await call.unit.get<{ readonly at: Key }>(endpointPlaceKey(id))
  const row = place && (await call.unit.get<EndpointRow>(place.at))
  if (!row) throw new Fault('malformed', 'There is no such endpoint.', { status: 404 })
  return row
}

/** What every answer to a client carries. */
export const headersOf = ({ call, row }: Called, more: Readonly<Record<string, string>> = {}) => ({
  'replay-nonce': newNonce(call.vault, call.now),
  link: `<${acmeUrl(row)}/directory>;rel="index"`,
  ...more,
})

export interface Signed extends Called {
  readonly account: AccountRow
  readonly binding: BindingRow
  readonly jws: Jws
  readonly path: Readonly<Record<string, string>>
}

/** The header has to name the address that was called, and a nonce that is new. */
export async function received(call: WebCall, input: WebInput, rest: string): Promise<{ row: EndpointRow; jws: Jws }> {
  const row = await endpointAt(call, input.path['endpoint']!)
  const jws = parseJws(input.bytes)
  if (jws.header.url !== `${acmeUrl(row)}${rest}`)
    throw problem('unauthorized', `The request was signed for ${jws.header.url}.`)
  await spendNonce(call.unit, call.vault, jws.header.nonce ?? '', call.now)
  call.recordIn(row.account, row.region)
  return { row, jws }
}

export async function bindingOf(call: WebCall, row: EndpointRow, id: string): Promise<BindingRow> {
  const found = await call.unit.get<BindingRow>(bindingKey(row, row.id, id))
  const isOver = found?.revokedAt !== undefined || (found?.expiresAt !== undefined && found.expiresAt <= call.now)
  if (!found || isOver) throw problem('unauthorized', 'The external account binding is unknown, revoked or expired.')
  return found
}

/** A request by an account that is valid, whose binding is, too. */
async function bySigned(call: WebCall, input: WebInput, rest: string): Promise<Signed> {
  const { row, jws } = await received(call, input, rest)
  const prefix = accountUrl(row, '')
  const id = jws.header.kid?.startsWith(prefix) ? jws.header.kid.slice(prefix.length) : ''
  const account = await call.unit.get<AccountRow>(accountKey(row.id, id))
  if (!account) throw problem('accountDoesNotExist', 'Create an account first.')
  verifyJws(jws, account.jwk)
  if (account.status !== 'VALID') throw problem('unauthorized', `The account is ${account.status.toLowerCase()}.`)
  return { call, row, jws, account, binding: await bindingOf(call, row, account.bindingId), path: input.path }
}

export const signedRoute = (path: string, event: string, run: (signed: Signed) => Promise<WebAnswer>): WebRoute =>
  route({
    method: 'POST',
    path: `/:endpoint${path}`,
    event,
    authentication: 'anonymous',
    body: 'bytes',
    bodyBytesMax: BODY_BYTES_MAX,
    // What the body carries proves its sender.
    crossOrigin: true,
    shown: ['endpoint'],
    run: async (call, input) => {
      const rest = path.replace(/:(\w+)/g, (_all, name: string) => input.path[name] ?? '')
      const signed = await bySigned(call, input, rest)
      const answer = await run(signed)
      recordAs(signed, event)
      return answer
    },
  })

export function recordAs({ call, row, account, binding }: Signed, name: string): void {
  call.record({
    name,
    account: row.account,
    userIdentity: { type: 'AcmeAccount', principalId: account.id, accountId: row.account, arn: binding.roleArn },
    additionalEventData: { acmeEndpoint: row.id, keyThumbprint: account.thumbprint },
    isBounded: true,
  })
}

export function payloadOf<T>({ payload }: Jws): Partial<T> {
  try {
    return payload.length === 0 ? {} : (JSON.parse(payload.toString('utf8')) as Partial<T>)
  } catch {
    throw problem('malformed', 'The payload is not JSON.')
  }
}
