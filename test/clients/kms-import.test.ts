/** KMS §6.6: material made and wrapped by openssl, brought by the stock `aws` command: AES, RSA and P-521; tokens end after a day. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ImportKeyMaterialCommand, KMSClient } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { overHttp } from '../../src/kernel/client/client.ts'
import { sign } from '../../src/wire/sigv4/index.ts'
import { type Running, startMerlon, temporaryFolder } from '../process.ts'
import { environmentFor, run } from './command.ts'

const HOUR_MS = 3_600_000

let server: Running
let environment: Readonly<Record<string, string>>
const folder = temporaryFolder()

beforeAll(async () => {
  server = await startMerlon(['--dev'])
  environment = environmentFor(server.url, server.accounts[0]!)
})
afterAll(() => server?.stop('SIGKILL'))

async function program(name: string, words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run(name, words, environment, folder)
  if (status !== 0) throw new Error(`${name} ${words.join(' ')}: ${stdout}${stderr}`)
  return stdout.trim()
}
const openssl = (...words: readonly string[]) => program('openssl', words)
async function kms(...words: readonly string[]) {
  const told = await program('aws', ['kms', ...words])
  return told === '' ? undefined : JSON.parse(told)
}
const at = (name: string) => join(folder, name)
const save = (name: string, base64: string) => writeFileSync(at(name), Buffer.from(base64, 'base64'))

const OAEP = ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha256', 'rsa_mgf1_md:sha256'].flatMap((each) => ['-pkeyopt', each])

/** RSA_AES_KEY_WRAP_SHA_256, as AWS's guide describes it: an AES key under RSA, and the material under the AES key. */
async function wrap(material: string): Promise<void> {
  await openssl('rand', '-out', 'aes', '32')
  const words = ['-K', readFileSync(at('aes')).toString('hex'), '-iv', 'A65959A6']
  await openssl('enc', '-id-aes256-wrap-pad', ...words, '-in', material, '-out', 'wrapped-material')
  await openssl(
    ...['pkeyutl', '-encrypt', '-in', 'aes', '-out', 'wrapped-aes'],
    ...['-inkey', 'wrapping', '-keyform', 'DER', '-pubin', ...OAEP],
  )
  writeFileSync(at('wrapped'), Buffer.concat([readFileSync(at('wrapped-aes')), readFileSync(at('wrapped-material'))]))
}

async function offered(key: string): Promise<void> {
  const offer = await kms(
    ...['get-parameters-for-import', '--key-id', key],
    ...['--wrapping-algorithm', 'RSA_AES_KEY_WRAP_SHA_256', '--wrapping-key-spec', 'RSA_4096'],
  )
  save('wrapping', offer.PublicKey)
  save('token', offer.ImportToken)
}

async function imported(material: string, spec: string, usage: string): Promise<string> {
  const words = ['--origin', 'EXTERNAL', '--key-spec', spec, '--key-usage', usage]
  const key = (await kms('create-key', ...words)).KeyMetadata.KeyId
  await offered(key)
  await wrap(material)
  await kms(
    ...['import-key-material', '--key-id', key, '--encrypted-key-material', 'fileb://wrapped'],
    ...['--import-token', 'fileb://token', '--expiration-model', 'KEY_MATERIAL_DOES_NOT_EXPIRE'],
  )
  return key
}

test('KMS 6: an AES key of openssl’s comes in, and encrypts', async () => {
  await openssl('rand', '-out', 'material', '32')
  const key = await imported('material', 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')

  writeFileSync(at('plain'), 'hello')
  save('sealed', (await kms('encrypt', '--key-id', key, '--plaintext', 'fileb://plain')).CiphertextBlob)
  const { Plaintext } = await kms('decrypt', '--ciphertext-blob', 'fileb://sealed')
  expect(Buffer.from(Plaintext, 'base64').toString()).toBe('hello')
})

test.each([
  ['RSA_3072', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'], 'RSASSA_PKCS1_V1_5_SHA_256', '-sha256'],
  ['ECC_NIST_P521', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'], 'ECDSA_SHA_512', '-sha512'],
])(
  'KMS 6: a key of openssl’s, %s, signs here what its own public half verifies there',
  async (spec, making, algorithm, digest) => {
    await openssl('genpkey', ...making, '-out', 'pair.pem')
    await openssl('pkey', '-in', 'pair.pem', '-pubout', '-out', 'public.pem')
    await openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'pair.pem', '-outform', 'DER', '-out', 'material')
    const key = await imported('material', spec, 'SIGN_VERIFY')

    writeFileSync(at('message'), 'attack at dawn')
    const words = ['--message', 'fileb://message', '--signing-algorithm', algorithm]
    save('signature', (await kms('sign', '--key-id', key, ...words)).Signature)

    expect(await openssl('dgst', digest, '-verify', 'public.pem', '-signature', 'signature', 'message')).toBe(
      'Verified OK',
    )
  },
)

test('KMS 6: a token is good for a day, and 25 hours later no more', async () => {
  const key = (await kms('create-key', '--origin', 'EXTERNAL')).KeyMetadata.KeyId
  await offered(key)
  await openssl('rand', '-out', 'material', '32')
  await wrap('material')

  await passed(25)

  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const later = new KMSClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    systemClockOffset: 25 * HOUR_MS,
    maxAttempts: 1,
  })
  const late = new ImportKeyMaterialCommand({
    KeyId: key,
    ImportToken: readFileSync(at('token')),
    EncryptedKeyMaterial: readFileSync(at('wrapped')),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  })
  await expect(later.send(late)).rejects.toMatchObject({ name: 'ExpiredImportTokenException' })
})

/** Moves the clock of the development server. */
async function passed(hours: number): Promise<void> {
  const transport = overHttp(server.url)
  const { accessKeyId, secretAccessKey: secret } = server.accounts[0]!
  const asked = {
    method: 'POST',
    path: '/_merlon/clock',
    query: '',
    rawHeaders: ['Host', transport.host],
    body: Buffer.from(JSON.stringify({ advanceSeconds: hours * 3600 })),
    remoteAddress: '',
    secure: false,
  }
  const facts = { region: 'us-east-1', service: 'merlon', nowMs: Date.now() }
  expect((await transport.send(sign(asked, { accessKeyId, secret }, facts))).status).toBe(200)
}
