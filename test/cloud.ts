/** A whole Merlon in memory for tests: the real gate, store, vault and services, driven by the official clients, signed. */
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { onTestFinished } from 'vitest'
import type { RequestOutcome } from '../src/kernel/gate/gate.ts'
import type { Throttle } from '../src/kernel/gate/throttle.ts'
import type { Provided } from '../src/kernel/ports/port.ts'
import type { OutboundPort } from '../src/kernel/ports/ports.ts'
import type { Quotas } from '../src/kernel/service/quota.ts'
import type { Service } from '../src/kernel/service/service.ts'
import { MovableClock } from '../src/kernel/state/clock.ts'
import type { WebSite } from '../src/kernel/web/site.ts'
import type { BlobStore } from '../src/planes/objects/blobs.ts'
import { openCloud } from '../src/server/compose/cloud.ts'
import { openStore } from '../src/store/sqlite.ts'
import { ephemeralUnsealed } from '../src/vault/ephemeral.ts'
import type { HttpRequest } from '../src/wire/http.ts'
import { throughGate } from './through-gate.ts'

export const ACCOUNT = '111122223333'
export const OTHER_ACCOUNT = '444455556666'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

interface ClientConfig {
  readonly region: string
  readonly credentials: Keys
  readonly endpoint: string
  readonly maxAttempts: number
  readonly systemClockOffset: number
  // biome-ignore lint/suspicious/noExplicitAny: each client's own handler type is narrower than what all of them send.
  readonly requestHandler: any
}

export interface CloudOptions {
  readonly quotas?: Quotas
  /** The rate limits of each caller; with a clock of the test's. */
  readonly throttle?: Throttle
  /** Responses of other hosts, under the test's control. */
  readonly outbound?: OutboundPort
  /** Ports that the server would provide, such as a mail transport. */
  readonly provides?: readonly Provided[]
  /** Web sites besides those of the services. */
  readonly sites?: readonly WebSite[]
  /** Instead of all that the server has. */
  readonly services?: readonly Service[]
  /** What is opened when it is first needed, as in the server. */
  readonly later?: () => Promise<readonly Service[]>
  /** Where the bytes of objects are stored. */
  readonly blobs?: BlobStore
  /** Whether deployment packages run, and where functions may go inside. */
  readonly packages?: boolean
  readonly egress?: ReadonlySet<string>
  readonly onDecisionError?: (error: unknown, requestId: string) => void
  readonly onServiceFailure?: (work: string, error: unknown) => void
  readonly onJobError?: (job: object, error: unknown) => void
  /** Changes a signed request on its way: what an attacker on the wire could do. */
  readonly tamper?: (request: HttpRequest) => HttpRequest
}

/** An empty account, its root user's keys, and any SDK client over the gate. */
export async function cloud(options: CloudOptions = {}) {
  const store = await openStore({ file: ':memory:' })
  const clock = new MovableClock()
  const answers: RequestOutcome[] = []
  const opened = await openCloud({
    store,
    unsealed: ephemeralUnsealed(),
    clock,
    observe: (answer) => void answers.push(answer),
    ...(options.quotas && { quotas: options.quotas }),
    throttle: options.throttle,
    onDecisionError: options.onDecisionError,
    onServiceFailure: options.onServiceFailure,
    ...(options.onJobError && { onJobError: options.onJobError }),
    ...(options.outbound && { outbound: options.outbound }),
    ...(options.services && { services: options.services }),
    later: options.later,
    provides: options.provides,
    sites: options.sites,
    blobs: options.blobs,
    packages: options.packages,
    egress: options.egress,
  })
  closeAfterTest(() => opened.close())
  const root = await opened.addAccount({ id: ACCOUNT, name: 'test' })

  const requestHandler = throughGate(opened.gate, options.tamper)
  const client = <C>(Client: new (config: ClientConfig) => C, credentials: Keys = root, region = 'us-east-1'): C =>
    new Client({
      region,
      credentials,
      endpoint: 'http://localhost',
      maxAttempts: 1,
      systemClockOffset: clock.now() - Date.now(),
      requestHandler,
    })

  /** Puts an inline policy on a user of the first account. */
  const permit = (UserName: string, PolicyDocument: string) =>
    client(IAMClient).send(new PutUserPolicyCommand({ UserName, PolicyName: 'permitted', PolicyDocument }))

  return {
    ...opened,
    /** Both listeners in one: the sites, and behind them the API. */
    handle: async (request: HttpRequest) => (await opened.handleWeb(request)) ?? opened.handle(request),
    clock,
    answers,
    root,
    permit,
    /** A user of the first account, optionally with an inline policy. */
    user: async (UserName: string, policy?: string): Promise<Keys> => {
      await client(IAMClient).send(new CreateUserCommand({ UserName }))
      if (policy) await permit(UserName, policy)
      const { AccessKey } = await client(IAMClient).send(new CreateAccessKeyCommand({ UserName }))
      return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
    },
    /** Lets time pass, and what is due happen. Clients sign with the time they were made for. */
    pass: (ms: number) => {
      clock.advance(ms)
      return opened.jobs.runDue()
    },
    /** Another account, and its root user's keys. */
    account: (id = OTHER_ACCOUNT) => opened.addAccount({ id, name: id }),
    client,
  }
}

/** Keys from an STS answer. */
export function keysOf(answer: {
  Credentials?:
    | { AccessKeyId: string | undefined; SecretAccessKey: string | undefined; SessionToken: string | undefined }
    | undefined
}): Keys {
  const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials!
  return { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! }
}

/** A policy of one or more allowing statements. */
export function allowing(...statements: readonly object[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', ...statement })),
  })
}

/** Files share a process: what a test leaves running would slow down all tests after it. */
function closeAfterTest(close: () => Promise<void>): void {
  try {
    onTestFinished(close)
  } catch {
    // Made before the tests of a file, for all of them.
  }
}
