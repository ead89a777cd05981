/** A running development server, as tests use it: clients, seeds, the clock, and what was recorded. */
import type { Seed, SeedAccount } from '../server/seed/seed-format.ts'
import { type MerlonEvent, type RecordedDecision, recordedDecisions } from './events.ts'
import { signedFetch } from './signed-fetch.ts'

/** A seed. A single account may leave out its id. */
export type TestSeed =
  | Omit<Seed, 'placeOf'>
  | (Omit<SeedAccount, 'id'> & { readonly id?: string; readonly accounts?: undefined })

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface ClientSettings {
  readonly endpoint: string
  readonly region: string
  readonly credentials: Credentials
  /** For S3: buckets in the path, not in the host name. */
  readonly forcePathStyle: true
}

export interface Merlon extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string
  readonly region: string
  readonly accountId: string
  /** Of the administrator: an IAM user who may do everything. With a seed of one's own: of the root user. */
  readonly credentials: Credentials
  readonly rootCredentials: Credentials
  /** For programs that the test starts: `AWS_ENDPOINT_URL`, `AWS_REGION` and the credentials. */
  readonly environment: Readonly<Record<string, string>>
  /** An AWS SDK client of this server. */
  client<C, O extends object>(Client: new (settings: O & ClientSettings) => C, options?: Partial<O>): C
  /** A new access key of an IAM user of the first account. Throws when there is no such user. */
  credentialsFor(userName: string): Promise<Credentials>
  /** Adds what a seed has, until the next reset. */
  seed(seed: TestSeed): Promise<void>
  /**
   * Makes everything as it was after the start: data, clock and keys. With an account, only what that account has; its events
   * and the clock stay.
   */
  reset(only?: { readonly account: string }): Promise<void>
  readonly clock: MerlonClock
  /** What was recorded, in order, since the start or the last reset: one event for each call. */
  events(): Promise<readonly MerlonEvent[]>
  /** The decisions among {@link events} that denied. */
  denied(): Promise<readonly RecordedDecision[]>
  stop(): Promise<void>
}

export interface MerlonClock {
  now(): Promise<Date>
  /** Moves it forward. Sessions expire and jobs fall due by it. */
  advance(by: {
    readonly days?: number
    readonly hours?: number
    readonly minutes?: number
    readonly seconds?: number
  }): Promise<Date>
  set(to: Date | string): Promise<Date>
}

export const DEFAULT_ACCOUNT = '123456789012'

export type Connection = Pick<Merlon, 'endpoint' | 'region' | 'accountId' | 'credentials' | 'rootCredentials' | 'stop'>

/** A server that is ready. */
export function connect({ endpoint, region, accountId, credentials, rootCredentials, stop }: Connection): Merlon {
  const call = signedFetch({ endpoint, region, credentials: rootCredentials })
  const development = async <T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> =>
    JSON.parse(await call('merlon', method, `/_merlon/${path}`, body ? JSON.stringify(body) : '')) as T
  const clock = async (body?: object) =>
    new Date((await development<{ now: string }>(body ? 'POST' : 'GET', 'clock', body)).now)

  const events = async (): Promise<readonly MerlonEvent[]> => {
    const found: MerlonEvent[] = []
    for (let after = 0; ; ) {
      const page = await development<{ events: MerlonEvent[]; next: number; more: boolean }>(
        'GET',
        `events?after=${after}`,
      )
      found.push(...page.events)
      if (!page.more) return found.filter(({ eventSource }) => eventSource !== 'merlon')
      after = page.next
    }
  }
  return {
    endpoint,
    region,
    accountId,
    credentials,
    rootCredentials,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    client: (Client, more) => {
      const settings: ClientSettings = { endpoint, region, credentials, forcePathStyle: true }
      return new Client({ ...settings, ...more } as ConstructorParameters<typeof Client>[0])
    },
    credentialsFor: async (userName) => {
      const form = new URLSearchParams({ Action: 'CreateAccessKey', Version: '2010-05-08', UserName: userName })
      const xml = await call('iam', 'POST', '/', form.toString(), 'application/x-www-form-urlencoded')
      const value = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)![1]!
      return { accessKeyId: value('AccessKeyId'), secretAccessKey: value('SecretAccessKey') }
    },
    seed: async (more) => void (await development('POST', 'seed', wholeSeed(more, accountId))),
    reset: async (only) => void (await development('POST', 'reset', only)),
    clock: {
      now: () => clock(),
      advance: ({ days = 0, hours = 0, minutes = 0, seconds = 0 }) =>
        clock({ advanceSeconds: ((days * 24 + hours) * 60 + minutes) * 60 + seconds }),
      set: (to) => clock({ now: new Date(to).toISOString() }),
    },
    events,
    denied: async () => (await events()).flatMap(recordedDecisions).filter(({ effect }) => effect === 'Deny'),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

export function wholeSeed(seed: TestSeed, accountId = DEFAULT_ACCOUNT): Omit<Seed, 'placeOf'> {
  if (seed.accounts !== undefined) return seed
  const { accounts, ...account } = seed
  return { accounts: [{ id: accountId, ...account }] }
}
