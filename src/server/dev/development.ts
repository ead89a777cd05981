/**
 * What only `--dev` has: a clock that moves, a mailbox, the events as they were recorded, more seeds, and a reset. Requests are signed like any call, and only the root
 * user may send them.
 */
import { randomUUID } from 'node:crypto'
import { type EventFacts, eventRecord, newDraft } from '../../kernel/events/event.ts'
import { type Authenticated, Authenticator } from '../../kernel/gate/authenticate.ts'
import type { DevelopmentClock } from '../../kernel/state/clock.ts'
import type { DeliveredMail } from '../../planes/mailer/memory.ts'
import { Fault } from '../../wire/fault.ts'
import { type HttpRequest, type HttpResponse, header } from '../../wire/http.ts'
import { services as rows } from '../../wire/services.ts'
import type { Cloud } from '../compose/cloud.ts'
import { InstallationError } from '../compose/operator-errors.ts'
import { setRootSignIn } from '../compose/root-sign-in.ts'
import { exportSeed } from '../seed/export-seed.ts'
import { readSeed } from '../seed/seed.ts'
import type { Seed } from '../seed/seed-format.ts'

export interface Development {
  readonly clock: DevelopmentClock
  cloud(): Cloud
  /** Delivered messages, oldest first. */
  mail(): readonly DeliveredMail[]
  /** Adds what a seed has. Accounts that are there are added to. */
  seed(seed: Seed): Promise<void>
  /** Replaces the cloud by one as it was at the start. */
  reset(): Promise<void>
  /** Makes the documents of one account as they were at the start. Throws an `InstallationError`. */
  resetAccount(account: string): Promise<void>
}

export const DEVELOPMENT_PATH = '/_merlon/'

export async function answerDevelopment(development: Development, request: HttpRequest): Promise<HttpResponse> {
  try {
    const { caller, region, body } = await rootOnly(development, request)
    switch (`${request.method} ${request.path.slice(DEVELOPMENT_PATH.length)}`) {
      case 'POST reset': {
        const account = accountToReset(body)
        if (account === undefined) await development.reset()
        else await development.resetAccount(account).catch(refuseSeed)
        const requestParameters = account === undefined ? null : { account }
        await record(development.cloud(), { caller, region, request, eventName: 'Reset', requestParameters })
        return json(200, { reset: true, ...(account !== undefined && { account }) })
      }
      case 'POST clock': {
        const move = clockMove(body)
        if ('advanceSeconds' in move) development.clock.advance(move.advanceSeconds * 1000)
        else development.clock.set(Date.parse(move.now))
        const eventName = 'advanceSeconds' in move ? 'AdvanceClock' : 'SetClock'
        await record(development.cloud(), { caller, region, request, eventName, requestParameters: move })
        return json(200, { now: new Date(development.clock.now()).toISOString() })
      }
      case 'GET clock':
        return json(200, { now: new Date(development.clock.now()).toISOString() })
      case 'POST root-password': {
        const { email, password } = rootSignIn(body)
        const { principal } = caller
        const account = 'account' in principal ? principal.account : undefined
        await setRootSignIn(development.cloud(), { account, email, password }).catch(refuseSeed)
        const requestParameters = { email }
        await record(development.cloud(), { caller, region, request, eventName: 'SetRootPassword', requestParameters })
        return json(200, { account })
      }
      case 'GET events':
        return json(200, await events(development.cloud(), new URLSearchParams(request.query)))
      case 'POST seed': {
        const seed = await readSeed(body.toString('utf8'), 'The request').catch(refuseSeed)
        await development.seed(seed).catch(refuseSeed)
        await record(development.cloud(), { caller, region, request, eventName: 'Seed', requestParameters: null })
        return json(200, { accounts: seed.accounts.map(({ id }) => id) })
      }
      case 'GET export': {
        const exported = await exportSeed(development.cloud(), region)
        await record(development.cloud(), { caller, region, request, eventName: 'Export', requestParameters: null })
        return json(200, exported)
      }
      case 'GET mail':
        return json(200, { messages: development.mail() })
      default:
        throw new Fault('UnknownOperation', `Unknown operation ${request.method} ${request.path}`, { status: 404 })
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return json(error.details.status ?? 403, { __type: error.code, message: error.message })
  }
}

/** The account of the signature, if a root user made it. The credential scope may name any service. */
async function rootOnly(development: Development, request: HttpRequest): Promise<Authenticated> {
  const { store, vault, clock, ports } = development.cloud()
  const anyName = {
    ...rows[0]!,
    id: 'merlon',
    signingNames: ['merlon', ...rows.flatMap(({ signingNames }) => signingNames)],
  }
  const found = await new Authenticator(store, vault, ports).authenticate(request, anyName, clock.now(), clock.real?.())
  if (found.caller.principal.kind !== 'root') throw new Fault('AccessDenied', 'Only the root user may do this.')
  return found
}

/** Pages of the recorded events of all accounts and Regions, in the order of recording. */
async function events({ store }: Cloud, query: URLSearchParams) {
  const after = Number(query.get('after') ?? 0)
  if (!Number.isSafeInteger(after) || after < 0)
    throw new Fault('ValidationException', "'after' is the 'next' of the page before.", { status: 400 })
  const rows = await store.evidence(after, EVENTS_PER_PAGE)
  return {
    events: rows.map(({ body }) => JSON.parse(body) as object),
    next: rows.at(-1)?.position ?? after,
    more: rows.length === EVENTS_PER_PAGE,
  }
}

const EVENTS_PER_PAGE = 1_000

function refuseSeed(error: unknown): never {
  if (!(error instanceof InstallationError)) throw error
  throw new Fault('ValidationException', error.message, { status: 400 })
}

type Deed = Pick<EventFacts, 'caller' | 'region' | 'eventName' | 'requestParameters'> & {
  readonly request: HttpRequest
}

async function record({ store, clock }: Cloud, { request, ...deed }: Deed): Promise<void> {
  const { principal } = deed.caller
  await store.run(async (unit) =>
    unit.append(
      eventRecord({
        ...deed,
        draft: newDraft(clock.now()),
        account: 'account' in principal ? principal.account : '',
        timeMs: clock.now(),
        eventSource: 'merlon',
        readOnly: false,
        sourceAddress: request.remoteAddress,
        userAgent: header(request, 'user-agent') ?? '',
        requestId: randomUUID(),
        responseElements: null,
      }),
    ),
  )
}

/** Years that a basic ISO 8601 date, as signatures have it, can hold. */
const YEARS = { first: 1970, last: 9998 } as const
const ISO_DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/

type ClockMove = { readonly advanceSeconds: number } | { readonly now: string }

function clockMove(body: Buffer): ClockMove {
  let input: { readonly advanceSeconds?: unknown; readonly now?: unknown } | undefined
  try {
    input = JSON.parse(body.toString('utf8')) ?? undefined
  } catch {
    input = undefined
  }
  const { advanceSeconds, now } = input ?? {}
  const isAdvance = typeof advanceSeconds === 'number' && advanceSeconds >= 0 && advanceSeconds <= SECONDS_MAX
  if (isAdvance && now === undefined) return { advanceSeconds }
  if (typeof now === 'string' && advanceSeconds === undefined && ISO_DATE.test(now)) {
    const year = new Date(now).getUTCFullYear()
    if (year >= YEARS.first && year <= YEARS.last) return { now }
  }
  throw new Fault(
    'ValidationException',
    'Send {"advanceSeconds": n} with n at least 0, or {"now": "2030-01-31T12:00:00Z"}.',
    { status: 400 },
  )
}

/** Undefined for everything. */
function accountToReset(body: Buffer): string | undefined {
  if (body.length === 0) return undefined
  try {
    const { account } = JSON.parse(body.toString('utf8')) as { readonly account?: unknown }
    if (account === undefined || (typeof account === 'string' && /^\d{12}$/.test(account))) return account
  } catch {
    // Refused like every other form.
  }
  throw new Fault('ValidationException', 'Send {"account": "111122223333"}, or nothing to reset everything.', {
    status: 400,
  })
}

function rootSignIn(body: Buffer): { readonly email: string; readonly password: string } {
  try {
    const { email, password } = JSON.parse(body.toString('utf8')) as Readonly<Record<string, unknown>>
    if (typeof email === 'string' && typeof password === 'string') return { email, password }
  } catch {
    // Refused like every other form.
  }
  throw new Fault('ValidationException', 'Send {"email": "…", "password": "…"}.', { status: 400 })
}

/** A hundred years. */
const SECONDS_MAX = 100 * 366 * 24 * 3600

function json(status: number, value: object): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}
