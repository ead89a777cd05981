/**
 * Testcontainers: a Merlon server for tests, in a container of its own. Needs the package `testcontainers` (10 or newer) and a
 * container engine; `startMerlon` of `merlon` needs neither.
 *
 * @example
 * await using merlon = await new MerlonContainer('merlon', { seed: { users: [{ name: 'ann' }] } }).start()
 * const kms = merlon.client(KMSClient, { credentials: await merlon.credentialsFor('ann') })
 */
import { randomBytes } from 'node:crypto'
import type { Seed, SeedUser } from '../server/seed/seed-format.ts'
import { connect, DEFAULT_ACCOUNT, type Merlon, type TestSeed, wholeSeed } from './connect.ts'

/** What is used of the package `testcontainers`. */
export interface ContainerRuntime {
  readonly GenericContainer: new (image: string) => Container
  readonly Wait: { forLogMessage(message: string): unknown }
}

interface Container {
  withExposedPorts(...ports: number[]): Container
  withCommand(words: string[]): Container
  withEnvironment(variables: Record<string, string>): Container
  withCopyContentToContainer(files: { content: string; target: string; mode?: number }[]): Container
  withWaitStrategy(strategy: unknown): Container
  withStartupTimeout(ms: number): Container
  start(): Promise<StartedContainer>
}

export interface StartedContainer {
  getHost(): string
  getMappedPort(port: number): number
  stop(): Promise<unknown>
}

export interface MerlonContainerOptions {
  /** What the server begins with, again after each reset. */
  readonly seed?: TestSeed
  /** Twelve digits. Default: that of the seed's first account, or 123456789012. */
  readonly accountId?: string
  /** Default: `us-east-1`. */
  readonly region?: string
  /** Further options of `merlon start`. */
  readonly args?: readonly string[]
  /** Milliseconds to wait until the server is ready. Default: 60,000. */
  readonly timeoutMs?: number
  /** Default: the installed package `testcontainers`. */
  readonly runtime?: ContainerRuntime
}

export interface StartedMerlonContainer extends Merlon {
  readonly container: StartedContainer
}

const PORT = 4566
const SEED_FILE = '/tmp/seed.json'
const READABLE = 0o644
const READY_MS_MAX = 60_000
/** The line that `merlon start` ends its output with. */
const READY = 'Ready.'
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'

export class MerlonContainer {
  readonly #image: string
  readonly #options: MerlonContainerOptions

  /** `image`: as `docker build -t merlon .` made it. */
  constructor(image: string, options: MerlonContainerOptions = {}) {
    this.#image = image
    this.#options = options
  }

  /** Resolves when the server is ready. Rejects with what the container engine says. */
  async start(): Promise<StartedMerlonContainer> {
    const { accountId, region = 'us-east-1', args = [], timeoutMs = READY_MS_MAX } = this.#options
    const { GenericContainer, Wait } = this.#options.runtime ?? (await installedRuntime())
    const [root, administrator] = [newKey(), newKey()]
    const seed = withAdministrator(wholeSeed(this.#options.seed ?? {}, accountId), administrator)
    const account = accountId ?? seed.accounts[0]?.id ?? DEFAULT_ACCOUNT
    const container = await new GenericContainer(this.#image)
      .withExposedPorts(PORT)
      .withEnvironment({
        MERLON_ACCOUNT_ID: account,
        MERLON_ROOT_ACCESS_KEY_ID: root.id,
        MERLON_ROOT_SECRET_ACCESS_KEY: root.secret,
      })
      .withCopyContentToContainer([{ content: JSON.stringify(seed), target: SEED_FILE, mode: READABLE }])
      // Loopback of a container reaches no test. Signatures are required as everywhere.
      .withCommand([
        ...['start', '--dev', '--host', '0.0.0.0', '--allow-remote-dev', '--port', String(PORT), '--no-console'],
        ...['--seed', SEED_FILE, ...args],
      ])
      .withWaitStrategy(Wait.forLogMessage(READY))
      .withStartupTimeout(timeoutMs)
      .start()
    const merlon = connect({
      endpoint: `http://${container.getHost()}:${container.getMappedPort(PORT)}`,
      region,
      accountId: account,
      credentials: { accessKeyId: administrator.id, secretAccessKey: administrator.secret },
      rootCredentials: { accessKeyId: root.id, secretAccessKey: root.secret },
      stop: async () => void (await container.stop()),
    })
    return { ...merlon, container }
  }
}

/** The user `admin` of the first account gets the key that {@link Merlon.credentials} are. */
function withAdministrator(seed: Omit<Seed, 'placeOf'>, key: Key): Omit<Seed, 'placeOf'> {
  const [first, ...others] = seed.accounts
  if (!first) throw new Error('The seed has no account.')
  const users = first.users ?? []
  const admin = users.find(({ name }) => name === 'admin') ?? { name: 'admin', policies: [ADMINISTRATOR] }
  const withKey: SeedUser = { ...admin, keys: [...(admin.keys ?? []), key] }
  const rest = users.filter(({ name }) => name !== 'admin')
  return { ...seed, accounts: [{ ...first, users: [...rest, withKey] }, ...others] }
}

interface Key {
  readonly id: string
  readonly secret: string
}

const newKey = (): Key => ({
  id: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
  secret: randomBytes(30).toString('base64'),
})

/** Loaded only here: the package is an optional peer. */
async function installedRuntime(): Promise<ContainerRuntime> {
  const name = 'testcontainers'
  try {
    const {
      GenericContainer,
      Wait,
      default: whole,
    } = (await import(name)) as ContainerRuntime & {
      readonly default?: ContainerRuntime
    }
    // A CommonJS package shows its members in `default`, too, and some only there.
    return GenericContainer === undefined ? whole! : { GenericContainer, Wait }
  } catch (error) {
    throw new Error("MerlonContainer needs the package 'testcontainers': npm install --save-dev testcontainers", {
      cause: error,
    })
  }
}
