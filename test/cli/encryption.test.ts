/** `merlon encrypt`, `decrypt` and `inspect`, as people use them: files, pipes, directories, and the audit log. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import official from '@aws-crypto/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { installation, merlon, merlonScript, type Running, startMerlon, temporaryFolder } from '../process.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const key = Buffer.alloc(32, 3)
const RAW = ['--wrapping-keys', 'provider=raw-aes', 'namespace=test', 'key=one', `file=${at('aes.key')}`]

beforeAll(() => {
  writeFileSync(at('aes.key'), key)
  writeFileSync(at('plain'), 'attack at dawn')
})

describe('with a key in a file', () => {
  test('a file is encrypted, shown, and decrypted under its context only', async () => {
    const context = ['--encryption-context', 'purpose=test', 'tenant=blue']
    const written = await merlon([
      'encrypt',
      '-i',
      at('plain'),
      '-o',
      at('sealed'),
      ...context,
      ...RAW,
      '--metadata-output',
      at('metadata'),
    ])
    const shown = await merlon(['inspect', at('sealed')])
    const asJson = JSON.parse((await merlon(['encrypt', 'inspect', at('sealed'), '--json'])).stdout)
    const read = await merlon([
      'decrypt',
      '-i',
      at('sealed'),
      '-o',
      at('opened'),
      '-c',
      'purpose',
      'tenant=blue',
      ...RAW,
    ])
    const wrong = await merlon(['decrypt', '-i', at('sealed'), '-o', at('wrong'), '-c', 'tenant=red', ...RAW])
    const absent = await merlon(['decrypt', '-i', at('sealed'), '-o', at('absent'), '-c', 'department', ...RAW])

    expect([written.status, written.stderr]).toEqual([0, ''])
    expect(shown.stdout).toContain('Wrapping key   test one\n')
    expect(shown.stdout).toContain('Context        tenant = blue\n')
    expect(asJson).toMatchObject({
      version: '2.0',
      algorithm: '0578',
      frame_length: 4096,
      encryption_context: { tenant: 'blue' },
    })
    expect(JSON.parse(readFileSync(at('metadata'), 'utf8'))).toMatchObject({
      mode: 'encrypt',
      output: at('sealed'),
      header: asJson,
    })
    expect([read.status, readFileSync(at('opened'), 'utf8'), statSync(at('opened')).mode & 0o777]).toEqual([
      0,
      'attack at dawn',
      0o600,
    ])
    expect([wrong.status, existsSync(at('wrong'))]).toEqual([1, false])
    expect(wrong.stderr).toContain("The encryption context value of 'tenant' is not the one of the message.")
    expect([absent.status, existsSync(at('absent'))]).toEqual([1, false])
  })

  test('a directory keeps its tree, and the official SDK reads it', async () => {
    mkdirSync(at('in/deep'), { recursive: true })
    for (const name of ['a', 'deep/b']) writeFileSync(at(`in/${name}`), name.repeat(10_000))

    const written = await merlon(['encrypt', '-r', '-i', at('in'), '-o', at('out'), ...RAW, '--frame-length', '1000'])
    const read = await merlon(['decrypt', '-r', '-i', at('out'), '-o', at('back'), '--suffix', '', ...RAW])

    expect([written.status, read.status]).toEqual([0, 0])
    expect((readdirSync(at('out'), { recursive: true }) as string[]).sort()).toEqual([
      'a.encrypted',
      'deep',
      'deep/b.encrypted',
    ])
    expect(readFileSync(at('back/deep/b.encrypted'), 'utf8')).toBe('deep/b'.repeat(10_000))
    const keyring = new official.RawAesKeyringNode({
      keyNamespace: 'test',
      keyName: 'one',
      unencryptedMasterKey: Uint8Array.from(key),
      wrappingSuite: official.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    })
    const { decrypt } = official.buildClient(official.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    expect((await decrypt(keyring, readFileSync(at('out/a.encrypted')))).plaintext.toString()).toBe('a'.repeat(10_000))
  })

  test('pipes work, in base64 too, and give nothing of a message that was changed', async () => {
    const piped = async (words: string[], input: string | Buffer) => {
      const child = spawn(process.execPath, [merlonScript, ...words], { stdio: 'pipe' })
      const out: Buffer[] = []
      child.stdout.on('data', (part) => out.push(part))
      child.stdin.end(input)
      const [status] = await once(child, 'close')
      return { status, out: Buffer.concat(out) }
    }
    const sealed = await piped(['encrypt', '-i', '-', '-o', '-', '--encode', ...RAW], 'p'.repeat(10_000))
    const changed = Buffer.from(sealed.out.toString(), 'base64')
    changed[changed.length - 5]! ^= 1

    expect(sealed.out.toString()).toMatch(/^[A-Za-z0-9+/]+=*$/)
    expect((await piped(['decrypt', '-i', '-', '-o', '-', '--decode', ...RAW], sealed.out)).out.toString()).toBe(
      'p'.repeat(10_000),
    )
    expect(await piped(['decrypt', '-i', '-', '-o', '-', ...RAW], changed)).toEqual({ status: 1, out: Buffer.alloc(0) })
  })

  test('what is there stays where it must not be overwritten, or where decryption fails', async () => {
    await merlon(['encrypt', '-i', at('plain'), '-o', at('again'), ...RAW])
    writeFileSync(at('kept'), 'kept')
    writeFileSync(at('broken'), readFileSync(at('again')).subarray(0, -1))

    const refused = await merlon(['decrypt', '-i', at('again'), '-o', at('kept'), '--no-overwrite', ...RAW])
    const failed = await merlon(['decrypt', '-i', at('broken'), '-o', at('kept'), ...RAW])
    const itself = await merlon(['decrypt', '-i', at('again'), '-o', at('again'), ...RAW])

    expect([refused.status, failed.status, itself.status]).toEqual([1, 1, 1])
    expect(failed.stderr).toContain('The message ends before it is complete')
    expect(readFileSync(at('kept'), 'utf8')).toBe('kept')
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('a killed process leaves no file under the name of the result', async () => {
    const child = spawn(process.execPath, [merlonScript, 'encrypt', '-i', '-', '-o', at('killed'), ...RAW], {
      stdio: 'pipe',
    })
    child.stdin.on('error', () => undefined)
    child.stdin.write(Buffer.alloc(1_000_000))
    await expect
      .poll(() => readdirSync(folder).some((name) => name.startsWith('.killed-')), { timeout: 60_000 })
      .toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')

    expect(existsSync(at('killed'))).toBe(false)
  })

  // MERLON_STREAM_BYTES=4294967296: as the specification has it.
  test('a stream is encrypted and decrypted in the memory of a few frames', async () => {
    const bytes = Number(process.env['MERLON_STREAM_BYTES'] ?? 128 * 2 ** 20)
    const peak = async (words: string[], feed?: Iterable<Buffer>) => {
      const child = spawn(process.execPath, [merlonScript, ...words], { stdio: ['pipe', 'ignore', 'inherit'] })
      let most = 0
      const watch = setInterval(() => {
        const status = existsSync(`/proc/${child.pid}/status`) ? readFileSync(`/proc/${child.pid}/status`, 'utf8') : ''
        most = Math.max(most, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
      }, 20)
      if (feed) Readable.from(feed).pipe(child.stdin)
      const [status] = await once(child, 'exit')
      clearInterval(watch)
      return { status, megabytes: most / 1024 }
    }
    const part = Buffer.alloc(2 ** 20, 'p')
    const parts = function* () {
      for (let sent = 0; sent < bytes; sent += part.length) yield part
    }
    const written = await peak(['encrypt', '-i', '-', '-o', at('large'), '--frame-length', '65536', ...RAW], parts())
    const read = await peak(['decrypt', '-i', at('large'), '-o', at('large.out'), ...RAW])

    expect([written.status, read.status, statSync(at('large.out')).size]).toEqual([0, 0, bytes])
    expect(Math.max(written.megabytes, read.megabytes)).toBeGreaterThan(20)
    expect(Math.max(written.megabytes, read.megabytes)).toBeLessThan(150)
  })

  test('a command line that cannot be meant is refused with what to do', async () => {
    for (const [words, complaint] of [
      [['-i', at('plain'), '-o', at('x')], '--wrapping-keys'],
      [['-i', at('plain'), ...RAW], '--output is missing'],
      [['-i', at('nothing'), '-o', at('x'), ...RAW], 'There is no file'],
      [['-i', folder, '-o', at('x'), ...RAW], 'say --recursive'],
      [['-r', '-i', folder, '-o', at('x'), ...RAW], 'is inside the input'],
      [['-i', at('plain'), '-o', at('x'), ...RAW, '-c', 'purpose'], 'NAME=VALUE'],
      [['-i', at('plain'), '-o', at('x'), '-w', 'colour=red'], "no setting 'colour'"],
      [['-i', at('plain'), '-o', at('x'), ...RAW, '--commitment-policy', 'none'], 'require-encrypt-require-decrypt'],
      [['-i', at('plain'), '-o', at('x'), ...RAW, '--algorithm', 'ROT13'], 'ALG_AES256'],
      [['-i', at('plain'), '-o', at('x'), ...RAW, '--frame-length', '0'], 'whole number from 1'],
    ] as const) {
      const { status, stderr } = await merlon(['encrypt', ...words])
      expect([status, stderr]).toEqual([2, expect.stringContaining(complaint)])
    }
  })
})

describe('with keys of a server', () => {
  let server: Running
  let environment: Record<string, string>
  let arn: string
  beforeAll(async () => {
    server = await startMerlon(installation())
    const { accessKeyId, secretAccessKey } = server.accounts[0]!
    environment = {
      AWS_ENDPOINT_URL: server.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: 'us-east-1',
    }
    const kms = new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(server.url) })
    arn = (await kms.json<{ KeyMetadata: { Arn: string } }>('kms', 'TrentService.CreateKey')).KeyMetadata.Arn
  })
  afterAll(() => server?.stop())

  test('the audit log shows which caller opened which message, and with which context', async () => {
    const own = (words: string[]) => merlon(words, environment)
    const encrypted = (output: string) =>
      own([
        'encrypt',
        '-i',
        at('plain'),
        '-o',
        at(output),
        '-w',
        `key=${arn}`,
        '-c',
        'purpose=trail',
        'patient=p-1',
        '--required-encryption-context-keys',
        'patient',
      ])
    for (const name of ['one', 'two']) expect(await encrypted(name)).toEqual({ status: 0, stdout: '', stderr: '' })
    const read = (context: string) =>
      own([
        'decrypt',
        '-i',
        at('one'),
        '-o',
        at('one.out'),
        '-w',
        'discovery=true',
        'discovery-account=' + arn.split(':')[4],
        '-c',
        context,
      ])
    expect((await read('patient=p-1')).status).toBe(0)
    expect((await read('patient=p-2')).status).toBe(1)

    const lines = async (name: string) =>
      (await own(['inspect', at(name), '--trail'])).stdout.split('\n').filter((line) => /^ {2}\d/.test(line))
    const trail = await lines('one')
    expect(
      trail.map((line) =>
        line
          .split('  ')
          .slice(2, 6)
          .filter((word) => !word.startsWith('arn:'))
          .slice(0, 3),
      ),
    ).toEqual([
      ['GenerateDataKey', 'ok', 'patient=p-1'],
      ['Decrypt', 'ok', 'patient=p-1'],
      ['Decrypt', 'InvalidCiphertextException', 'patient=p-2'],
    ])
    expect(trail[1]).toContain(`:${arn.split(':')[4]}:root`)
    // The same key and context, but another message.
    expect(await lines('two')).toHaveLength(1)
    expect(JSON.parse((await own(['inspect', at('two'), '--trail', '--json'])).stdout).uses).toMatchObject([
      { operation: 'GenerateDataKey', keyArn: arn, more: { patient: 'p-1' } },
    ])
  })

  test('a required context must be said again, and a cache needs one call for many files', async () => {
    const own = (words: string[]) => merlon(words, environment)
    const failed = await own([
      'decrypt',
      '-i',
      at('one'),
      '-o',
      at('x'),
      '-w',
      `key=${arn}`,
      '--required-encryption-context-keys',
      'patient',
    ])
    const many = await own([
      'encrypt',
      '-r',
      '-i',
      at('in'),
      '-o',
      at('cached'),
      '-w',
      `key=${arn}`,
      '--caching',
      'capacity=1',
      'max_age=60',
    ])

    expect(failed.stderr).toContain("no value for the required key 'patient'")
    expect(many.status).toBe(0)
    const keysOf = async (name: string) =>
      JSON.parse((await own(['inspect', at(name), '--json'])).stdout).encrypted_data_keys
    expect(await keysOf('cached/a.encrypted')).toEqual(await keysOf('cached/deep/b.encrypted'))
  })
})
