/**
 * A server killed with `kill -9` while keys rotate, take grants, and end: whatever was encrypted and acknowledged opens
 * after the next start, and no key is left without material, or with an alias or grant to nowhere.
 */
import { join } from 'node:path'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  KMSClient,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms'
import { afterAll, expect, test } from 'vitest'
import { type Running, startMerlon, temporaryFolder } from '../process.ts'

/** `MERLON_KILLS=200 npm run test:faults` for the long one. */
const ROUNDS = Number(process.env['MERLON_KILLS'] ?? 20)
const WORKERS = 8

let server: Running | undefined
afterAll(async () => void (await server?.stop('SIGKILL')))

interface Sealed {
  readonly blob: Uint8Array
  readonly text: string
}

test('KMS 14: what was acknowledged of keys is there after every kill, whole', async () => {
  const data = join(temporaryFolder(), 'data')
  server = await startMerlon(['--data', data])
  const account = server.accounts[0]!
  const clientOf = ({ url }: Running) =>
    new KMSClient({ endpoint: url, region: 'us-east-1', credentials: account, maxAttempts: 1 })

  const sealed: Sealed[] = []
  const rotated = new Map<string, number>()
  const granted = new Map<string, number>()
  const named = new Set<string>()
  let serial = 0
  const work = async (kms: KMSClient, until: Promise<void>) => {
    let stopped = false
    void until.then(() => (stopped = true))
    try {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion: true }))
      const KeyId = KeyMetadata!.KeyId!
      rotated.set(KeyId, 0)
      granted.set(KeyId, 0)
      const AliasName = `alias/k${++serial}`
      await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
      named.add(AliasName)
      for (let turn = 0; turn < 24 && !stopped; turn++) {
        const text = `${KeyId}/${turn}`
        const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from(text) }))
        sealed.push({ blob: CiphertextBlob!, text })
        await kms.send(new RotateKeyOnDemandCommand({ KeyId }))
        rotated.set(KeyId, rotated.get(KeyId)! + 1)
        const GranteePrincipal = `arn:aws:iam::${account.accountId}:root`
        await kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Encrypt'] }))
        granted.set(KeyId, granted.get(KeyId)! + 1)
      }
    } catch (error) {
      // The kill: nothing of the call was acknowledged.
      if (!stopped) throw error
    }
  }

  for (let round = 0; round < ROUNDS; round++) {
    const kms = clientOf(server)
    let stop = () => {}
    const until = new Promise<void>((resolve) => (stop = resolve))
    const workers = Array.from({ length: WORKERS }, () => work(kms, until))
    const before = sealed.length
    // Enough was acknowledged to be lost; then at another moment each time.
    await expect.poll(() => sealed.length - before, { timeout: 60_000, interval: 5 }).toBeGreaterThan(WORKERS)
    await new Promise((resolve) => setTimeout(resolve, 23 * (round % 20)))
    stop()
    await server.stop('SIGKILL')
    await Promise.all(workers)
    server = await startMerlon(['--data', data])
  }

  const kms = clientOf(server)
  expect(sealed.length).toBeGreaterThan(ROUNDS * WORKERS)
  for (const { blob, text } of sealed) {
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: blob }))
    expect(Buffer.from(Plaintext!).toString()).toBe(text)
  }
  for (const [KeyId, count] of rotated) {
    const { Rotations } = await kms.send(new ListKeyRotationsCommand({ KeyId }))
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
    // The last call may have been done without a response.
    expect([count, count + 1]).toContain(Rotations!.length)
    expect(KeyMetadata!.CurrentKeyMaterialId).toMatch(/^[0-9a-f]{64}$/)
    if (Rotations!.length > 0) expect(Rotations!.at(-1)!.KeyMaterialId).toBe(KeyMetadata!.CurrentKeyMaterialId)
    const { Grants } = await kms.send(new ListGrantsCommand({ KeyId, Limit: 100 }))
    expect([granted.get(KeyId)!, granted.get(KeyId)! + 1]).toContain(Grants!.length)
  }
  const found = new Set<string>()
  for (let Marker: string | undefined, more = true; more; ) {
    const page = await kms.send(new ListAliasesCommand({ Marker, Limit: 100 }))
    for (const { AliasName } of page.Aliases!) {
      found.add(AliasName!)
      expect((await kms.send(new DescribeKeyCommand({ KeyId: AliasName! }))).KeyMetadata!.Enabled).toBe(true)
    }
    Marker = page.NextMarker
    more = page.Truncated!
  }
  expect([...named].filter((name) => !found.has(name))).toEqual([])
})
