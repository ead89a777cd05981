/**
 * What is disabled on one node stops working on it at once, and on every other within the bound: how long another node
 * still served it, as a distribution. `MERLON_FRESHNESS_TRIALS` for more of them.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { element } from '../../src/kernel/client/client.ts'
import type { MadeAccount } from '../process.ts'
import { Cluster, type StoreKind } from './cluster.ts'
import { SignedCaller } from './signed-call.ts'
import { distribution, staleness } from './staleness.ts'

const store = (process.env['MERLON_FAULT_STORE'] ?? 'postgres') as StoreKind
const trials = Number(process.env['MERLON_FRESHNESS_TRIALS'] ?? 40)
/** Stated in docs/: no node acts on anything older. */
const BOUND_MS = 1_000

let cluster: Cluster
let root: SignedCaller
beforeAll(async () => {
  cluster = await Cluster.start({ store, nodes: store === 'sqlite' ? 1 : 3 })
  root = new SignedCaller(cluster.account, 10_000)
}, 120_000)
afterAll(async () => {
  root?.close()
  await cluster?.close()
}, 60_000)

const first = () => cluster.members[0]!
const others = () => (cluster.members.length > 1 ? cluster.members.slice(1) : cluster.members)

async function done<T>(url: string, call: Parameters<SignedCaller['ask']>[1]): Promise<T> {
  const answer = await root.ask(url, call)
  if (answer.is !== 'answered') throw new Error(JSON.stringify(answer))
  return answer.output as T
}
const kms = (operation: string, input: object) => (client: Parameters<Parameters<SignedCaller['ask']>[1]>[0]) =>
  client.json<Record<string, never>>('kms', `TrentService.${operation}`, input)

interface Subject {
  readonly disable: Parameters<SignedCaller['ask']>[1]
  readonly enable: Parameters<SignedCaller['ask']>[1]
  /** Whether it works at that node. */
  readonly use: (url: string) => Promise<boolean>
  close(): void
}

async function accessKey(): Promise<Subject> {
  const UserName = 'ann'
  await done(first().url, (client) => client.query('iam', 'CreateUser', { UserName }))
  const xml = await done<string>(first().url, (client) => client.query('iam', 'CreateAccessKey', { UserName }))
  const AccessKeyId = element(xml, 'AccessKeyId')!
  const keys: MadeAccount = {
    accountId: cluster.account.accountId,
    accessKeyId: AccessKeyId,
    secretAccessKey: element(xml, 'SecretAccessKey')!,
  }
  const ann = new SignedCaller(keys, 10_000)
  const status = (Status: string): Subject['disable'] => {
    return (client) => client.query('iam', 'UpdateAccessKey', { UserName, AccessKeyId, Status })
  }
  return {
    disable: status('Inactive'),
    enable: status('Active'),
    use: async (url) => {
      const answer = await ann.ask(url, (client) => client.query('sts', 'GetCallerIdentity'))
      if (answer.is === 'refused' && !/InvalidClientTokenId/.test(answer.code)) throw new Error(JSON.stringify(answer))
      return answer.is === 'answered'
    },
    close: () => ann.close(),
  }
}

async function kmsKey(operation: 'Encrypt' | 'Decrypt'): Promise<Subject> {
  const { KeyMetadata } = await done<{ KeyMetadata: { KeyId: string } }>(first().url, kms('CreateKey', {}))
  const { KeyId } = KeyMetadata
  const encrypt = kms('Encrypt', { KeyId, Plaintext: 'YQ==' })
  const { CiphertextBlob } = await done<{ CiphertextBlob: string }>(first().url, encrypt)
  const call = operation === 'Encrypt' ? encrypt : kms('Decrypt', { CiphertextBlob })
  return {
    disable: kms('DisableKey', { KeyId }),
    enable: kms('EnableKey', { KeyId }),
    use: async (url) => {
      const answer = await root.ask(url, call)
      if (answer.is === 'refused' && !/Disabled/.test(answer.code)) throw new Error(JSON.stringify(answer))
      return answer.is === 'answered'
    },
    close: () => undefined,
  }
}

async function stale(subject: Subject, where: string, before = async () => {}, forMs?: number): Promise<number> {
  const { ms, worksHere, servedBefore } = await staleness(
    {
      take: async () => {
        await before()
        await done(first().url, subject.disable)
      },
      works: (side) => subject.use(side === 'here' ? first().url : where),
    },
    forMs,
  )
  expect(worksHere, 'the node that disabled it still serves it').toBe(false)
  expect(servedBefore, 'it worked before').toBeGreaterThan(0)
  return ms
}

const shown = (ms: number) => `${ms.toFixed(1)} ms`

const subjects = {
  'access key': accessKey,
  'KMS key to encrypt with': () => kmsKey('Encrypt'),
  'KMS key to decrypt with': () => kmsKey('Decrypt'),
} as const

test.each(Object.keys(subjects) as (keyof typeof subjects)[])(
  'a disabled %s is refused at once where it was disabled, and elsewhere within the bound',
  async (kind) => {
    const subject = await subjects[kind]()
    const times: number[] = []
    const back: number[] = []
    for (let n = 0; n < trials; n++) {
      const { url } = others()[n % others().length]!
      times.push(await stale(subject, url))
      await done(first().url, subject.enable)
      const enabled = performance.now()
      while (!(await subject.use(url))) await wait(1)
      back.push(performance.now() - enabled)
    }
    subject.close()

    const { p50, p99, max } = distribution(times)
    const again = distribution(back)
    console.log(
      `disabled ${kind}, still served elsewhere for: p50 ${shown(p50)}, p99 ${shown(p99)}, max ${shown(max)} (${trials} trials); works again after: p50 ${shown(again.p50)}, max ${shown(again.max)}`,
    )
    expect(max).toBeLessThan(BOUND_MS)
  },
)

test.runIf(store === 'postgres').each(['stall', 'stall-down', 'slow', 'refuse'] as const)(
  'a node whose wire to the database is in the state %s serves no disabled key beyond the bound',
  async (state) => {
    const subject = await kmsKey('Decrypt')
    const [, other] = cluster.members
    const cut = () => other!.link!.set(state)
    const ms = await stale(subject, other!.url, cut, 2_500).finally(() => other!.link!.set('pass'))
    console.log(`wire ${state}: a disabled KMS key was still served for ${shown(ms)}`)

    expect(ms).toBeLessThan(BOUND_MS)
    await expect.poll(() => subject.use(other!.url), { timeout: 20_000 }).toBe(false)
    await done(first().url, subject.enable)
    await expect.poll(() => subject.use(other!.url), { timeout: 20_000 }).toBe(true)
  },
)
