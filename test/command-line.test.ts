import { chmodSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Client, element, overHttp } from '../src/kernel/client.ts'
import { type MadeAccount, merlon, type Running, startMerlon, temporaryFolder } from './process.ts'

const running: Running[] = []
const start = async (words: readonly string[], environment?: Readonly<Record<string, string>>) => {
  const server = await startMerlon(words, environment)
  running.push(server)
  return server
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')))
})

const clientOf = (server: Pick<Running, 'url'>, { accessKeyId, secretAccessKey }: Omit<MadeAccount, 'accountId'>) =>
  new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(server.url) })
const mode = (file: string) => (statSync(file).mode & 0o777).toString(8)

describe('merlon init', () => {
  test('makes a folder only its owner can read, and a key that works once the server runs', async () => {
    const data = join(temporaryFolder(), 'data')

    const made = JSON.parse((await merlon(['init', '--data', data, '--json'])).stdout) as MadeAccount
    const server = await start(['--data', data])

    expect([mode(data), mode(join(data, 'root.key'))]).toEqual(['700', '600'])
    expect(server.accounts).toEqual([])
    const identity = await clientOf(server, made).query('sts', 'GetCallerIdentity')
    expect(element(identity, 'Arn')).toBe(`arn:aws:iam::${made.accountId}:root`)
  })

  test('never shows a root key twice', async () => {
    const data = join(temporaryFolder(), 'data')
    await merlon(['init', '--data', data])

    const again = await merlon(['init', '--data', data])

    expect(again.status).toBe(1)
    expect(again.stderr).toContain('is an installation already')
    expect(again.stdout).toBe('')
  })

  test('keeps no secret in clear on disk', async () => {
    const data = join(temporaryFolder(), 'data')

    const made = JSON.parse((await merlon(['init', '--data', data, '--json'])).stdout) as MadeAccount

    const database = readFileSync(join(data, 'merlon.db'))
    expect(database.includes(made.accessKeyId)).toBe(true)
    expect(database.includes(made.secretAccessKey)).toBe(false)
  })

  test('takes the account id it is given, and refuses one that is none', async () => {
    const folder = temporaryFolder()

    const good = await merlon(['init', '--data', join(folder, 'a'), '--account', '000000000001', '--json'])
    const bad = await merlon(['init', '--data', join(folder, 'b'), '--account', '12345'])

    expect(JSON.parse(good.stdout).accountId).toBe('000000000001')
    expect(bad.stderr).toContain("An account id has twelve digits; '12345' has not.")
  })

  test('adds an AWS profile beside the others, and overwrites none', async () => {
    const folder = temporaryFolder()
    const files = { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), AWS_CONFIG_FILE: join(folder, 'config') }
    writeFileSync(files.AWS_SHARED_CREDENTIALS_FILE, '[default]\naws_access_key_id = AKIAOTHER')

    const { stdout } = await merlon(['init', '--data', join(folder, 'a'), '--profile', 'mine', '--json'], files)
    const again = await merlon(['init', '--data', join(folder, 'b'), '--profile', 'mine'], files)

    const credentials = readFileSync(files.AWS_SHARED_CREDENTIALS_FILE, 'utf8')
    expect(credentials).toContain('[default]\naws_access_key_id = AKIAOTHER\n')
    expect(credentials).toContain(`[mine]\naws_access_key_id = ${JSON.parse(stdout).accessKeyId}`)
    expect(readFileSync(files.AWS_CONFIG_FILE, 'utf8')).toContain('endpoint_url = http://127.0.0.1:4566')
    expect(again.stderr).toContain("has a profile 'mine' already")
  })
})

describe('merlon start', () => {
  test('makes the installation on the first start and finds everything on the second, killed in between', async () => {
    const data = join(temporaryFolder(), 'data')
    const first = await start(['--data', data])
    const [root] = first.accounts
    await clientOf(first, root!).query('iam', 'CreateUser', { UserName: 'ann' })
    await first.stop('SIGKILL')

    const second = await start(['--data', data])

    expect(second.accounts).toEqual([])
    expect(element(await clientOf(second, root!).query('iam', 'GetUser', { UserName: 'ann' }), 'UserName')).toBe('ann')
  })

  test('answers what is under way before it ends', async () => {
    const server = await start(['--data', join(temporaryFolder(), 'data')])
    const root = clientOf(server, server.accounts[0]!)
    const asked = Array.from({ length: 50 }, (_, i) => root.query('iam', 'CreateUser', { UserName: `user-${i}` }))
    await Promise.race(asked)

    const status = await server.stop('SIGTERM')
    const answers = await Promise.allSettled(asked)

    expect(status).toBe(0)
    const refused = answers.filter(({ status: how }) => how === 'rejected')
    // What had not reached the server is a refused connection, never half an answer.
    for (const each of refused) expect(String((each as PromiseRejectedResult).reason)).toContain('fetch failed')
  })

  test('a lame duck sends its load balancer elsewhere, and answers until it has', async () => {
    const server = await start(['--data', join(temporaryFolder(), 'data'), '--lame-duck', '1.5'])
    const root = clientOf(server, server.accounts[0]!)
    const health = () => fetch(`${server.url}/health`)
    expect((await health()).status).toBe(200)

    const ended = server.stop('SIGTERM')

    await expect.poll(async () => (await health()).status).toBe(503)
    const told = await health()
    expect(await told.json()).toMatchObject({ status: 'leaving' })
    expect(told.headers.get('connection')).toBe('close')
    await root.query('iam', 'CreateUser', { UserName: 'last' })
    expect(await ended).toBe(0)
    await expect(health()).rejects.toThrow('fetch failed')
  })

  test('refuses a lame duck of no number of seconds', async () => {
    const ended = await merlon(['start', '--data', join(temporaryFolder(), 'data'), '--lame-duck', 'soon'])

    expect(ended).toMatchObject({ status: 2, stderr: expect.stringContaining("a number of seconds, not 'soon'") })
  })

  test.each(['0.0.0.0', '::', '192.0.2.1'])(
    'refuses to listen on %s with its root key beside the data',
    async (host) => {
      const ended = await merlon(['start', '--data', join(temporaryFolder(), 'data'), '--host', host, '--port', '0'])

      expect(ended.status).toBe(1)
      expect(ended.stderr).toContain(`will not listen on ${host}`)
    },
  )

  test('refuses a root key that others can read', async () => {
    const data = join(temporaryFolder(), 'data')
    await merlon(['init', '--data', data])
    chmodSync(join(data, 'root.key'), 0o644)

    const ended = await merlon(['start', '--data', data, '--port', '0'])

    expect(ended.status).toBe(1)
    expect(ended.stderr).toContain('chmod 600')
  })

  test('says that the root key is missing rather than making another', async () => {
    const data = join(temporaryFolder(), 'data')
    await merlon(['init', '--data', data])
    unlinkSync(join(data, 'root.key'))

    const ended = await merlon(['start', '--data', data, '--port', '0'])

    expect(ended.status).toBe(1)
    expect(ended.stderr).toContain('root.key is missing')
  })

  test('refuses a second server on the same data', async () => {
    const data = join(temporaryFolder(), 'data')
    await start(['--data', data])

    const second = await merlon(['start', '--data', data, '--port', '0'])

    expect(second.status).toBe(1)
    expect(second.stderr).toMatch(/^merlon: Another Merlon is using this data .* Stop it first/)
  })

  test('says which port is taken', async () => {
    const server = await start(['--dev'])

    const second = await merlon(['start', '--dev', '--port', new URL(server.url).port])

    expect(second.status).toBe(1)
    expect(second.stderr).toContain('choose another --port')
  })

  test.each([
    [['start', '--port', 'x'], '--port is a number'],
    [['start', '--nonsense'], '--nonsense'],
    [['start', '--seed', 'x.yaml'], '--seed belongs to --dev'],
    [['start', '--dev', '--data', 'x'], 'takes no --data'],
    [['start', '--log', 'loud'], '--log is'],
    [['start', '--limits', 'acount=5'], "--limits: there is no limit 'acount'"],
    [['start', '--limits', 'account=fast'], "'account=fast' says no number"],
    [['init'], 'merlon init --data DIR'],
    [['dance'], "There is no command 'dance'"],
  ])('answers %j with what is wrong, and exit status 2', async (words, complaint) => {
    const ended = await merlon(words)

    expect(ended.status).toBe(2)
    expect(ended.stderr).toContain(complaint)
  })
})

describe('what watches a server', () => {
  test('merlon status tells whether one answers', async () => {
    const server = await start(['--dev'])
    const port = new URL(server.url).port

    const up = await merlon(['status', '--port', port])
    await server.stop()
    const down = await merlon(['status', '--port', port, '--json'])

    expect([up.status, up.stdout]).toEqual([0, expect.stringContaining('answers on')])
    expect([down.status, JSON.parse(down.stdout).status]).toEqual([1, 'down'])
  })

  test('metrics count answers by service, operation and status, and invent no label for what a stranger names', async () => {
    const server = await start(['--dev'])
    const root = clientOf(server, server.accounts[0]!)
    await root.query('iam', 'ListUsers')
    await root.query('iam', 'GetUser', { UserName: 'nobody' }).catch(() => undefined)
    await root.query('iam', 'StealEverything').catch(() => undefined)

    const text = await (await fetch(`${server.url}/metrics`)).text()

    expect(text).toContain('merlon_requests_total{service="iam",operation="ListUsers",status="200"} 1')
    expect(text).toContain('merlon_requests_total{service="iam",operation="GetUser",status="404"} 1')
    expect(text).not.toContain('StealEverything')
  })

  test('a body beyond the cap is refused before it is read', async () => {
    const server = await start(['--dev'])

    const answer = await fetch(server.url, { method: 'POST', body: Buffer.alloc(7 * 1024 * 1024) }).catch(
      () => undefined,
    )

    // Refused, or cut off while still sending: both are refusals.
    expect(answer?.status ?? 413).toBe(413)
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
  })

  test('logs are JSON lines, with every answer when asked for', async () => {
    const server = await start(['--dev', '--access-log'])
    await clientOf(server, server.accounts[0]!).query('sts', 'GetCallerIdentity')
    await server.stop()

    const lines = server
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'answered', operation: 'GetCallerIdentity', status: 200 }),
    )
    expect(lines.at(-1)).toMatchObject({ level: 'info', message: 'stopped' })
  })
})
