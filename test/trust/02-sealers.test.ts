/** Root of trust §6.2 and §6.3: sealers side by side, each enough alone, and the others still good when one is gone. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { CreateKeyCommand, DecryptCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { readKeyring } from '../../src/vault/keyring-file.ts'
import { policy } from '../clients/command.ts'
import { folder, health, initWithShares, lines, merlon, merlonJson, start } from './shell.ts'

const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so'
/** Where there is no SoftHSM these are left out, but never in CI. */
const withToken = existsSync(SOFTHSM) || process.env['CI'] ? describe : describe.skip

interface Sealer {
  readonly id: string
  readonly kind: string
}

/** Unsealed by its shares. */
async function running(environment: Record<string, string> = {}) {
  const data = join(folder(), 'data')
  const { shares } = await initWithShares(data)
  const begin = () => start(data, [], environment)
  const first = await begin()
  await merlon(['unseal', '--data', data], lines(...shares))
  return { data, shares, first, begin }
}

const idOf = async (data: string, kind: string) => {
  const { sealers } = await merlonJson<{ sealers: readonly Sealer[] }>(['sealer', 'list', '--data', data])
  return sealers.find((each) => each.kind === kind)!.id
}

withToken('Trust 2: a SoftHSM token', () => {
  function token() {
    const home = folder()
    const tokens = join(home, 'tokens')
    mkdirSync(tokens)
    const SOFTHSM2_CONF = join(home, 'softhsm2.conf')
    writeFileSync(SOFTHSM2_CONF, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`)
    const words = ['--init-token', '--free', '--label', 'merlon', '--pin', '2468', '--so-pin', '13579']
    execFileSync('softhsm2-util', words, { env: { ...process.env, SOFTHSM2_CONF } })
    return { tokens, environment: { SOFTHSM2_CONF, MERLON_PKCS11_PIN: '2468' } }
  }

  test('unseals by itself after a restart; without it the shares still do', async () => {
    const { tokens, environment } = token()
    const { data, shares, first, begin } = await running(environment)
    await merlonJson(['sealer', 'add', 'pkcs11', '--module', SOFTHSM, '--token', 'merlon', '--data', data])
    await first.stop()

    const automatic = await begin()
    expect(await health(automatic.url)).toEqual({ http: 200, status: 'ok' })
    await automatic.stop()

    rmSync(tokens, { recursive: true })
    mkdirSync(tokens)
    const bereft = await begin()
    expect((await health(bereft.url)).status).toBe('sealed')
    const unsealed = await merlon(['unseal', '--data', data], lines(...shares.slice(1, 4)))
    expect([unsealed.status, unsealed.stderr]).toEqual([0, expect.stringContaining('MERLON_SEALER_UNAVAILABLE')])
  })

  test('with a wrong PIN is refused, and nothing of the PIN is printed', async () => {
    const { environment } = token()
    const { data } = await running({ ...environment, MERLON_PKCS11_PIN: '99999999' })

    const ended = await merlon(['sealer', 'add', 'pkcs11', '--module', SOFTHSM, '--token', 'merlon', '--data', data])

    expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining('CKR_PIN_INCORRECT')])
    expect(ended.stderr).not.toContain('99999999')
    const { sealers } = await merlonJson<{ sealers: readonly Sealer[] }>(['sealer', 'list', '--data', data])
    expect(sealers).toHaveLength(1)
  })
})

test('a key file elsewhere unseals by itself; when it is gone the shares still do', async () => {
  const { data, shares, first, begin } = await running()
  const keyFile = join(folder(), 'merlon.key')
  await merlonJson(['sealer', 'add', 'file', '--key-file', keyFile, '--data', data])
  await first.stop()

  const automatic = await begin()
  expect((await health(automatic.url)).status).toBe('ok')
  await automatic.stop()
  rmSync(keyFile)
  const bereft = await begin()

  expect((await health(bereft.url)).status).toBe('sealed')
  expect((await merlon(['unseal', '--data', data], lines(...shares.slice(0, 3)))).status).toBe(0)
})

test('a passphrase unseals beside shares, and a wrong one does not', async () => {
  const { data, begin, first } = await running()
  const added = await merlon(['sealer', 'add', 'passphrase', '--data', data], lines('correct horse battery'))
  expect(added.status).toBe(0)
  await first.stop()
  const server = await begin()

  const wrong = await merlon(['unseal', '--data', data], lines('incorrect horse battery'))
  const right = await merlon(['unseal', '--data', data], lines('correct horse battery'))

  expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('does not unlock sealer')])
  expect([right.status, (await health(server.url)).status]).toEqual([0, 'ok'])
})

describe('Trust 3: the KMS of another Merlon', () => {
  const region = 'eu-central-1'

  /** Another Merlon with a key, and a user who may use it for sealers and do nothing else. */
  async function anotherMerlon() {
    const server = await start(join(folder(), 'kms'))
    const client = <C>(Client: new (config: object) => C, credentials: object = server.accounts[0]!): C =>
      new Client({ endpoint: server.url, region, credentials, maxAttempts: 1 })
    const { KeyMetadata } = await client(KMSClient).send(new CreateKeyCommand({}))
    const { Arn: keyArn, KeyId } = KeyMetadata!
    const UserName = 'sealer'
    const allow = (...actions: readonly string[]) =>
      client(IAMClient).send(
        new PutUserPolicyCommand({
          UserName,
          PolicyName: 'seal',
          PolicyDocument: policy({
            Action: actions,
            Resource: keyArn,
            Condition: {
              'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['merlon:installation', 'merlon:sealer'] },
              Null: { 'kms:EncryptionContext:merlon:installation': 'false' },
            },
          }),
        }),
      )
    await client(IAMClient).send(new CreateUserCommand({ UserName }))
    await allow('kms:Encrypt', 'kms:Decrypt')
    const { AccessKey } = await client(IAMClient).send(new CreateAccessKeyCommand({ UserName }))
    const credentials = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
    return {
      server,
      allow,
      key: ['--key-id', keyArn!, '--endpoint', server.url, '--region', region],
      environment: {
        MERLON_KMS_ACCESS_KEY_ID: credentials.accessKeyId,
        MERLON_KMS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      disable: () => client(KMSClient).send(new DisableKeyCommand({ KeyId })),
      enable: () => client(KMSClient).send(new EnableKeyCommand({ KeyId })),
      asSealer: () => client(KMSClient, credentials),
      keyArn: keyArn!,
      /** What the user did, oldest first. */
      trail: async () => {
        const LookupAttributes = [{ AttributeKey: 'Username' as const, AttributeValue: UserName }]
        const { Events = [] } = await client(CloudTrailClient).send(new LookupEventsCommand({ LookupAttributes }))
        return Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!)).reverse()
      },
    }
  }

  test('unseals by itself with an access key that may do no more; with the key disabled the shares do, enabled it does again', async () => {
    const other = await anotherMerlon()
    const { data, shares, first, begin } = await running(other.environment)
    await merlonJson(['sealer', 'add', 'kms', ...other.key, '--data', data])
    // To open takes less than to add.
    await other.allow('kms:Decrypt')
    await first.stop()

    const automatic = await begin()
    expect(await health(automatic.url)).toEqual({ http: 200, status: 'ok' })
    await automatic.stop()

    await other.disable()
    const bereft = await begin()
    expect(await health(bereft.url)).toEqual({ http: 503, status: 'sealed' })
    expect(bereft.log()).toContain(`MERLON_SEALER_UNAVAILABLE: ${other.keyArn} at ${other.server.url}: `)
    expect(bereft.log()).toContain(`${other.keyArn} is disabled.`)
    const byShares = await merlon(['unseal', '--data', data], lines(...shares.slice(2)))
    expect([byShares.status, byShares.stderr]).toEqual([0, expect.stringContaining('is disabled')])
    expect((await health(bereft.url)).status).toBe('ok')
    await bereft.stop()

    await other.enable()
    const again = await begin()
    expect((await health(again.url)).status).toBe('ok')
    expect((await merlon(['seal', '--data', data])).status).toBe(0)
    expect((await health(again.url)).status).toBe('sealed')
    expect((await merlon(['unseal', '--data', data])).status).toBe(0)
    expect((await health(again.url)).status).toBe('ok')
    await again.stop()

    await other.server.stop()
    const alone = await begin()
    expect((await health(alone.url)).status).toBe('sealed')
    expect((await merlon(['unseal', '--data', data], lines(...shares.slice(0, 3)))).status).toBe(0)
  })

  test('shows each call in its trail, under the place the seed belongs to, and opens it for no other', async () => {
    const other = await anotherMerlon()
    const { data, first, begin } = await running(other.environment)
    await merlonJson(['sealer', 'add', 'kms', ...other.key, '--data', data])
    const id = await idOf(data, 'kms')
    await first.stop()
    await (await begin()).stop()
    const { body } = readKeyring(join(data, 'merlon.keyring'))!
    const { settings } = body.sealers.find((sealer) => sealer.id === id)!
    const CiphertextBlob = Buffer.from(settings.kind === 'kms' ? settings.wrappedSeed : '', 'base64')

    const EncryptionContext = { 'merlon:installation': body.installId, 'merlon:sealer': 'another' }
    const elsewhere = other.asSealer().send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    await expect(elsewhere).rejects.toThrow(expect.objectContaining({ name: 'InvalidCiphertextException' }))
    const bare = other.asSealer().send(new DecryptCommand({ CiphertextBlob }))
    await expect(bare).rejects.toThrow(expect.objectContaining({ name: 'AccessDeniedException' }))

    const place = { 'merlon:installation': body.installId, 'merlon:sealer': id }
    const told = await other.trail()
    expect(
      told.map(({ eventName, errorCode, requestParameters }) => [
        eventName,
        errorCode,
        requestParameters?.encryptionContext,
      ]),
    ).toEqual([
      ['Encrypt', undefined, place],
      ['Decrypt', undefined, place],
      ['Decrypt', 'InvalidCiphertextException', EncryptionContext],
      ['Decrypt', 'AccessDenied', undefined],
    ])
    for (const event of told) expect(event).toMatchObject({ eventSource: 'kms.amazonaws.com', awsRegion: region })
    expect(JSON.stringify(told)).not.toContain(CiphertextBlob.toString('base64'))
  })
})

describe('removing a sealer', () => {
  test('is refused for the last, and until another one was tested within a day', async () => {
    const data = join(folder(), 'data')
    await merlonJson(['init', '--data', data])
    const file = await idOf(data, 'file')
    const remove = () => merlon(['sealer', 'remove', file, '--data', data])

    const last = await remove()
    const { stdout } = await merlon([
      'sealer',
      'add',
      'shamir',
      '--shares',
      '3',
      '--threshold',
      '2',
      '--data',
      data,
      '--json',
    ])
    const { shares } = JSON.parse(stdout.split('\n')[0]!) as { shares: string[] }
    const untested = await remove()
    const tested = await merlon(
      ['sealer', 'test', await idOf(data, 'shamir'), '--data', data],
      lines(shares[0], shares[2]),
    )

    expect(last.stderr).toContain('MERLON_SEALER_NEEDED')
    expect(untested.stderr).toContain('merlon sealer test')
    // No server runs, so each command is a process of its own: an entry of shares needs one that stays.
    expect(tested.status).toBe(1)
    const server = await start(data)
    expect(
      (await merlon(['sealer', 'test', await idOf(data, 'shamir'), '--data', data], lines(shares[0], shares[2])))
        .status,
    ).toBe(0)
    expect((await remove()).status).toBe(0)
    await server.stop()
    expect((await start(data).then(({ url }) => health(url))).status).toBe('sealed')
  })
})
