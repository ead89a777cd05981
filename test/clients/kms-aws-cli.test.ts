/** The stock `aws` command with keys: contexts, disabled keys, material of one's own. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kept } from '../kept.ts'
import { type Running, startMerlon, temporaryFolder } from '../process.ts'
import { environmentFor, run } from './command.ts'

let server: Running
let folder: string
let environment: Readonly<Record<string, string>>

beforeAll(async () => {
  folder = temporaryFolder()
  server = await startMerlon(['--data', join(folder, 'data')])
  environment = environmentFor(server.url, server.accounts[0]!)
})
afterAll(() => server?.stop('SIGKILL'))

const aws = (...words: readonly string[]) => run('aws', ['kms', ...words], environment, folder)
async function json(...words: readonly string[]) {
  const { status, stdout, stderr } = await aws(...words)
  if (status !== 0) throw new Error(`aws kms ${words.join(' ')}: ${stderr}`)
  return stdout.trim() === '' ? undefined : JSON.parse(stdout)
}
async function openssl(...words: readonly string[]) {
  const { status, stdout, stderr } = await run('openssl', words, environment, folder)
  if (status !== 0) throw new Error(`openssl ${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}
const write = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes)
const save = (name: string, base64: string) => write(name, Buffer.from(base64, 'base64'))

test('KMS 1: what is encrypted for a=bc does not open for ab=c', async () => {
  const { KeyMetadata } = await json('create-key')
  write('plain', Buffer.from('hello'))
  const sealed = await json(
    ...['encrypt', '--key-id', KeyMetadata.KeyId, '--plaintext', 'fileb://plain', '--encryption-context', 'a=bc'],
  )
  save('sealed', sealed.CiphertextBlob)
  const open = (context: string) =>
    aws('decrypt', '--ciphertext-blob', 'fileb://sealed', '--encryption-context', context)

  const refused = await open('ab=c')
  expect(refused.status).not.toBe(0)
  expect(refused.stderr).toContain('InvalidCiphertextException')
  expect(Buffer.from(JSON.parse((await open('a=bc')).stdout).Plaintext, 'base64').toString()).toBe('hello')
})

test('KMS 2: a disabled key refuses every use', async () => {
  const symmetric = (await json('create-key')).KeyMetadata.KeyId
  const signing = (await json('create-key', '--key-spec', 'ECC_NIST_P256', '--key-usage', 'SIGN_VERIFY')).KeyMetadata
    .KeyId
  write('plain', Buffer.from('hello'))
  for (const key of [symmetric, signing]) await json('disable-key', '--key-id', key)

  for (const words of [
    ['encrypt', '--key-id', symmetric, '--plaintext', 'fileb://plain'],
    ['generate-data-key', '--key-id', symmetric, '--key-spec', 'AES_256'],
    ['sign', '--key-id', signing, '--message', 'fileb://plain', '--signing-algorithm', 'ECDSA_SHA_256'],
  ]) {
    const { status, stderr } = await aws(...words)
    expect(status).not.toBe(0)
    expect(stderr).toContain('DisabledException')
  }
})

test('KMS 6 and 13: a key of one’s own, wrapped by openssl, comes in, survives a kill, and opens what it sealed', async () => {
  const data = join(temporaryFolder(), 'data')
  const first = await startMerlon(['--data', data])
  const own = environmentFor(first.url, first.accounts[0]!)
  const ask = async (env: Readonly<Record<string, string>>, ...words: readonly string[]) => {
    const { status, stdout, stderr } = await run('aws', ['kms', ...words], env, folder)
    if (status !== 0) throw new Error(stderr)
    return stdout.trim() === '' ? undefined : JSON.parse(stdout)
  }
  const material = randomBytes(32)
  write('material', material)
  const key = (await ask(own, 'create-key', '--origin', 'EXTERNAL')).KeyMetadata.KeyId
  const offered = await ask(
    own,
    ...['get-parameters-for-import', '--key-id', key],
    ...['--wrapping-algorithm', 'RSAES_OAEP_SHA_256', '--wrapping-key-spec', 'RSA_4096'],
  )
  save('wrapping', offered.PublicKey)
  save('token', offered.ImportToken)
  await openssl(
    ...['pkeyutl', '-encrypt', '-in', 'material', '-out', 'wrapped', '-inkey', 'wrapping', '-keyform', 'DER', '-pubin'],
    ...['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', 'rsa_oaep_md:sha256', '-pkeyopt', 'rsa_mgf1_md:sha256'],
  )
  await ask(
    own,
    ...['import-key-material', '--key-id', key, '--encrypted-key-material', 'fileb://wrapped'],
    ...['--import-token', 'fileb://token', '--expiration-model', 'KEY_MATERIAL_DOES_NOT_EXPIRE'],
  )
  write('plain', Buffer.from('hello'))
  save('sealed', (await ask(own, 'encrypt', '--key-id', key, '--plaintext', 'fileb://plain')).CiphertextBlob)
  await first.stop('SIGKILL')

  const second = await startMerlon(['--data', data])
  const again = environmentFor(second.url, first.accounts[0]!)
  const { Plaintext } = await ask(again, 'decrypt', '--ciphertext-blob', 'fileb://sealed')
  await second.stop('SIGKILL')
  expect(Buffer.from(Plaintext, 'base64').toString()).toBe('hello')

  const disk = await kept(data)
  expect(disk.some((bytes) => bytes.includes(key))).toBe(true)
  for (const bytes of disk) {
    for (const spelling of [
      material,
      ...(['hex', 'base64', 'base64url'] as const).map((as) => material.toString(as)),
    ]) {
      expect(bytes.includes(spelling)).toBe(false)
    }
  }
})
