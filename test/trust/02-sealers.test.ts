/** Root of trust §6.2 and §6.3: sealers side by side, each enough alone, and the others still good when one is gone. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
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

  test('with a wrong PIN is refused, and nothing of the PIN is told', async () => {
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

  expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('does not open sealer')])
  expect([right.status, (await health(server.url)).status]).toEqual([0, 'ok'])
})

test('a KMS unseals by itself, under an encryption context that names installation and sealer', async () => {
  const kms = await standInKms()
  const { data, shares, first, begin } = await running({
    MERLON_KMS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    MERLON_KMS_SECRET_ACCESS_KEY: 'secret',
  })
  const key = ['--key-id', 'alias/merlon', '--endpoint', kms.url, '--region', 'eu-central-1']
  await merlonJson(['sealer', 'add', 'kms', ...key, '--data', data])
  await first.stop()

  const automatic = await begin()
  expect((await health(automatic.url)).status).toBe('ok')
  await automatic.stop()
  await kms.close()
  const bereft = await begin()

  expect((await health(bereft.url)).status).toBe('sealed')
  expect((await merlon(['unseal', '--data', data], lines(...shares.slice(2)))).status).toBe(0)
  expect(kms.asked.map(({ operation }) => operation)).toEqual(['TrentService.Encrypt', 'TrentService.Decrypt'])
  for (const { context, authorization } of kms.asked) {
    expect(Object.keys(context)).toEqual(['merlon:installation', 'merlon:sealer'])
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d{8}\/eu-central-1\/kms\/aws4_request/)
  }
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

/** KMS in fifty lines less: two operations, a context that must be the same. */
async function standInKms() {
  const asked: { operation: string; context: Record<string, string>; authorization: string }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const input = JSON.parse(Buffer.concat(chunks).toString())
    const operation = String(request.headers['x-amz-target'])
    const context = input.EncryptionContext
    asked.push({ operation, context, authorization: String(request.headers.authorization) })
    if (operation.endsWith('Encrypt')) {
      const CiphertextBlob = Buffer.from(JSON.stringify({ context, plaintext: input.Plaintext })).toString('base64')
      return response.end(JSON.stringify({ CiphertextBlob }))
    }
    const held = JSON.parse(Buffer.from(input.CiphertextBlob, 'base64').toString())
    if (JSON.stringify(held.context) === JSON.stringify(context))
      return response.end(JSON.stringify({ Plaintext: held.plaintext }))
    response.writeHead(400).end('{"__type":"InvalidCiphertextException"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
