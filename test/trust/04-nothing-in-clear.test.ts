/** Root of trust §6.4, KMS §6.13 and Secrets §6.12: no key and no secret in clear in database, write-ahead log, keyring, logs or backups. */
import { execFileSync } from 'node:child_process'
import { createPublicKey, publicEncrypt, randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { IAMClient, UploadServerCertificateCommand } from '@aws-sdk/client-iam'
import { expect, test } from 'vitest'
import { type Client, element } from '../../src/kernel/client/client.ts'
import { memoryOf } from './memory.ts'
import { clientOf, folder, foundIn, keysOf, merlon, merlonJson, readAll, spellings, start } from './shell.ts'

const SECRETS = 1_000
/** IAM keeps two keys a user. */
const KEYS_A_USER = 2
const CERTIFICATES = 20
const LANES = 16
const DATA_KEYS = 50
/** Values of secrets, requested just before sealing. */
const READ_LAST = 50
/** Of Secrets Manager, under keys of KMS. */
const VALUES = 1_000
/** Brought into KMS by us, so that we know them. */
const MATERIALS = 10

test('Trust 4, KMS 13, Secrets 12: 1,000 secrets, private keys and every key of the tree are nowhere in clear', async () => {
  const [data, backups] = [join(folder(), 'data'), folder()]
  const server = await start(data, ['--access-log', '--log', 'debug'])
  const root = clientOf(server.url, server.accounts[0]!)
  const secrets = new Map<string, readonly Buffer[]>([
    ['root secret', [Buffer.from(server.accounts[0]!.secretAccessKey)]],
  ])

  const users = Array.from({ length: SECRETS / KEYS_A_USER }, (_, n) => `user-${n}`)
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let UserName = users.pop(); UserName !== undefined; UserName = users.pop()) {
        await root.query('iam', 'CreateUser', { UserName })
        for (let n = 0; n < KEYS_A_USER; n++) {
          const made = await root.query('iam', 'CreateAccessKey', { UserName })
          const secret = element(made, 'SecretAccessKey')!
          secrets.set(`secret of ${element(made, 'AccessKeyId')}`, [Buffer.from(secret)])
        }
      }
    }),
  )
  for (let n = 0; n < CERTIFICATES; n++) {
    const { certificate, privateKey } = selfSigned()
    const { accessKeyId, secretAccessKey } = server.accounts[0]!
    const iam = new IAMClient({
      region: 'us-east-1',
      endpoint: server.url,
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    })
    const input = { ServerCertificateName: `c${n}`, CertificateBody: certificate, PrivateKey: privateKey }
    await iam.send(new UploadServerCertificateCommand(input))
    const body = privateKey.split('\n').slice(1, -2).join('')
    secrets.set(`private key ${n}`, [Buffer.from(body.slice(40, 90)), Buffer.from(body, 'base64').subarray(40, 72)])
  }
  const coming = Array.from({ length: VALUES }, (_, n) => n)
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let n = coming.pop(); n !== undefined; n = coming.pop()) {
        const SecretString = randomBytes(24).toString('base64')
        await root.json('secretsmanager', 'secretsmanager.CreateSecret', {
          ClientRequestToken: randomUUID(),
          Name: `s${n}`,
          SecretString,
        })
        await root.json('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: `s${n}` })
        secrets.set(`value ${n}`, spellings(Buffer.from(SecretString)))
      }
    }),
  )
  for (let n = 0; n < MATERIALS; n++) secrets.set(`material ${n}`, spellings(await importedMaterial(root)))
  await merlonJson(['backup', join(backups, 'x.merlon'), '--data', data])
  for (const [name, key] of keysOf(data)) secrets.set(name, spellings(key))
  expect(secrets.size).toBeGreaterThanOrEqual(1 + SECRETS + CERTIFICATES + VALUES + MATERIALS + 4)

  const files = [
    ...readdirSync(data).map((name) => join(data, name)),
    ...readdirSync(backups).map((name) => join(backups, name)),
  ]
  const scanned = files.filter((file) => !/root\.key$|\.sock$/.test(file))
  expect(scanned.map((file) => file.split('/').at(-1))).toEqual(
    expect.arrayContaining(['merlon.db', 'merlon.db-wal', 'merlon.keyring', 'merlon.head', 'x.merlon']),
  )
  const seedAt = foundIn(readFileSync(join(data, 'root.key')), secrets)
  expect(seedAt).toEqual(['seed'])
  expect(foundIn(readAll(...scanned), secrets)).toEqual([])
  expect(foundIn(Buffer.from(server.log()), secrets)).toEqual([])
  expect(server.log().length).toBeGreaterThan(SECRETS * 10)
})

test.runIf(process.platform === 'linux')(
  'Trust 4, KMS 13, Secrets 12: after merlon seal no key of the tree, no data key and no secret it gave out is in the memory of the server',
  async () => {
    const data = join(folder(), 'data')
    const server = await start(data)
    const root = clientOf(server.url, server.accounts[0]!)
    await root.query('iam', 'CreateUser', { UserName: 'ann' })
    await root.query('iam', 'CreateAccessKey', { UserName: 'ann' })
    const keys = new Map([...keysOf(data)].map(([name, key]) => [name, spellings(key)]))
    const kms = <T>(operation: string, input: object) => root.json<T>('kms', `TrentService.${operation}`, input)
    const { KeyMetadata } = await kms<{ KeyMetadata: { KeyId: string } }>('CreateKey', {})
    for (let n = 0; n < MATERIALS; n++) keys.set(`material ${n}`, spellings(await importedMaterial(root)))
    for (let n = 0; n < DATA_KEYS; n++) {
      const asked = { KeyId: KeyMetadata.KeyId, KeySpec: 'AES_256' }
      const { Plaintext } = await kms<{ Plaintext: string }>('GenerateDataKey', asked)
      keys.set(`data key ${n}`, spellings(Buffer.from(Plaintext, 'base64')))
    }
    for (let n = 0; n < READ_LAST; n++) {
      const SecretString = randomBytes(24).toString('base64')
      await root.json('secretsmanager', 'secretsmanager.CreateSecret', {
        ClientRequestToken: randomUUID(),
        Name: `s${n}`,
        SecretString,
      })
      await root.json('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: `s${n}` })
      keys.set(`value ${n}`, [Buffer.from(SecretString)])
    }

    const before = foundIn(memoryOf(server.process.pid!), keys)
    const sealed = await merlon(['seal', '--data', data])
    const after = foundIn(memoryOf(server.process.pid!), keys)

    expect(sealed.status).toBe(0)
    // Else the search would prove nothing.
    expect(before).toEqual(expect.arrayContaining(['root key', `account ${server.accounts[0]!.accountId}`]))
    expect(before.filter((name) => name.startsWith('value'))).not.toEqual([])
    expect(after).toEqual([])
  },
)

test.runIf(process.platform === 'linux')(
  'where no key is stored with the data the server cannot be debugged or dumped',
  async () => {
    const data = join(folder(), 'data')
    await merlon(['init', '--data', data, '--shares', '3', '--threshold', '2'])
    const server = await start(data)
    const { pid } = server.process
    const listening = () =>
      readdirSync(`/proc/${pid}/fd`).filter((fd) => readlink(`/proc/${pid}/fd/${fd}`).startsWith('socket:')).length

    const before = listening()
    server.process.kill('SIGUSR1')
    const { status } = await fetch(`${server.url}/health`)

    expect(status).toBe(503)
    expect(listening()).toBeLessThanOrEqual(before + 1)
    expect(server.log()).not.toContain('Debugger listening')
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size\s+0\s/m)
    const refused = await merlon(['start', '--data', data, '--port', '0'], '', { NODE_OPTIONS: '--no-warnings' })
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('Another Merlon')])
    await server.stop()
    const unsafe = await merlon(['start', '--data', data, '--port', '0'], '', { NODE_OPTIONS: '--no-warnings' })
    expect([unsafe.status, unsafe.stderr]).toEqual([
      1,
      expect.stringContaining('MERLON_UNSAFE_PROCESS: NODE_OPTIONS is set'),
    ])
  },
)

/** Material of our own in a key of KMS, used once. */
async function importedMaterial(root: Client): Promise<Buffer> {
  const kms = <T>(operation: string, input: object) => root.json<T>('kms', `TrentService.${operation}`, input)
  const { KeyMetadata } = await kms<{ KeyMetadata: { KeyId: string } }>('CreateKey', { Origin: 'EXTERNAL' })
  const { KeyId } = KeyMetadata
  const offer = await kms<{ ImportToken: string; PublicKey: string }>('GetParametersForImport', {
    KeyId,
    WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
    WrappingKeySpec: 'RSA_2048',
  })
  const key = createPublicKey({ key: Buffer.from(offer.PublicKey, 'base64'), format: 'der', type: 'spki' })
  const material = randomBytes(32)
  await kms('ImportKeyMaterial', {
    KeyId,
    ImportToken: offer.ImportToken,
    EncryptedKeyMaterial: publicEncrypt({ key, oaepHash: 'sha256' }, material).toString('base64'),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  })
  await kms('Encrypt', { KeyId, Plaintext: Buffer.from('hello').toString('base64') })
  return material
}

function readlink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function selfSigned(): { certificate: string; privateKey: string } {
  const at = folder()
  const [key, cert] = [join(at, 'key.pem'), join(at, 'cert.pem')]
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=merlon.test', '-days', '30']
  execFileSync('openssl', [...words, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { certificate: readFileSync(cert, 'utf8'), privateKey: readFileSync(key, 'utf8') }
}
