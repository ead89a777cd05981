/** `merlon start --dev`: for CI, and no less strict. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Client, element, overHttp } from '../../src/kernel/client/client.ts'
import { sign } from '../../src/wire/sigv4/index.ts'
import { type MadeAccount, merlon, type Running, startMerlon, temporaryFolder } from '../process.ts'

const running: Running[] = []
const start = async (words: readonly string[] = [], environment?: Readonly<Record<string, string>>) => {
  const server = await startMerlon(['--dev', ...words], environment)
  running.push(server)
  return server
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')))
})

type Key = Omit<MadeAccount, 'accountId'>
const clientOf = (server: Running, { accessKeyId, secretAccessKey }: Key, now = Date.now) =>
  new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(server.url), now })

/** A signed POST below `/_merlon/`, as `curl --aws-sigv4` sends it. */
async function post(server: Running, path: string, key: Key | undefined, body = '', now = Date.now()) {
  const transport = overHttp(server.url)
  const plain = {
    method: 'POST',
    path: `/_merlon/${path}`,
    query: '',
    rawHeaders: ['Host', transport.host],
    body: Buffer.from(body),
    remoteAddress: '',
    secure: false,
  }
  const credential = key && { accessKeyId: key.accessKeyId, secret: key.secretAccessKey }
  const request = credential ? sign(plain, credential, { region: 'us-east-1', service: 'merlon', nowMs: now }) : plain
  const answer = await transport.send(request)
  return { status: answer.status, body: JSON.parse(Buffer.from(answer.body).toString()) }
}

async function userKey(root: Client, name: string): Promise<Key> {
  await root.query('iam', 'CreateUser', { UserName: name })
  const made = await root.query('iam', 'CreateAccessKey', { UserName: name })
  return { accessKeyId: element(made, 'AccessKeyId')!, secretAccessKey: element(made, 'SecretAccessKey')! }
}

const write = (text: string) => {
  const file = join(temporaryFolder(), 'seed.yaml')
  writeFileSync(file, text)
  return file
}

const seed = `
accounts:
  - id: "123456789012"
    rootKey: { id: AKIAROOTROOTROOTROOT, secret: root-secret }
    policies:
      - name: look
        document: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "iam:Get*", Resource: "*" }] }
    groups:
      - { name: readers, policies: [look] }
    users:
      - name: ann
        groups: [readers]
        tags: { team: blue }
        keys: [{ id: AKIAANNANNANNANNANNA, secret: ann-secret }]
    roles:
      - name: deploy
        policies: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
        trust: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "123456789012" }, Action: "sts:AssumeRole" }] }
  - id: "210987654321"
`

describe('a development server', () => {
  test('has the account and root key its environment names', async () => {
    const environment = {
      MERLON_ACCOUNT_ID: '999988887777',
      MERLON_ROOT_ACCESS_KEY_ID: 'AKIAEXAMPLEEXAMPLE00',
      MERLON_ROOT_SECRET_ACCESS_KEY: 'example-secret',
    }
    const server = await start([], environment)

    const root = clientOf(server, { accessKeyId: 'AKIAEXAMPLEEXAMPLE00', secretAccessKey: 'example-secret' })

    expect(element(await root.query('sts', 'GetCallerIdentity'), 'Account')).toBe('999988887777')
  })

  test('is account 123456789012 by default, and denies as any other', async () => {
    const server = await start()
    const root = clientOf(server, server.accounts[0]!)
    const ann = clientOf(server, await userKey(root, 'ann'))

    expect(server.accounts[0]!.accountId).toBe('123456789012')
    await expect(ann.query('iam', 'ListUsers')).rejects.toMatchObject({ code: 'AccessDenied' })
    await expect(fetch(`${server.url}/?Action=ListUsers&Version=2010-05-08`)).resolves.toMatchObject({ status: 403 })
  })

  test('listens to this machine only', async () => {
    const ended = await merlon(['start', '--dev', '--host', '0.0.0.0', '--port', '0'])

    expect(ended.stderr).toContain('this is a development server')
    expect(ended.stderr).toContain('--allow-remote-dev')
    expect((await merlon(['start', '--allow-remote-dev', '--data', join(temporaryFolder(), 'data')])).stderr).toContain(
      'belongs to --dev',
    )
  })

  test('listens beyond it where that is allowed, says so, and still requires signatures', async () => {
    const server = await start(['--host', '0.0.0.0', '--allow-remote-dev'])
    const url = server.url.replace('0.0.0.0', '127.0.0.1')

    expect(server.log()).toContain('development server beyond this machine')
    expect((await fetch(`${url}/?Action=ListUsers&Version=2010-05-08`)).status).toBe(403)
    const health = await fetch(`${url}/_localstack/health`)
    expect(health.status).toBe(200)
    expect(await health.json()).toMatchObject({ services: { kms: 'running', s3: 'running' }, edition: 'merlon' })
  })

  test('moves its clock for the root user: sessions expire, and the record shows it', async () => {
    const server = await start()
    const [key] = server.accounts
    const root = clientOf(server, key!)
    const session = await root.query('sts', 'GetSessionToken', { DurationSeconds: 900 })
    const credential = {
      accessKeyId: element(session, 'AccessKeyId')!,
      secret: element(session, 'SecretAccessKey')!,
      sessionToken: element(session, 'SessionToken')!,
    }

    const moved = await post(server, 'clock', key, '{"advanceSeconds":901}')

    expect(moved.status).toBe(200)
    const later = () => Date.now() + 901_000
    const client = new Client({ credential, transport: overHttp(server.url), now: later })
    await expect(client.query('sts', 'GetCallerIdentity')).rejects.toMatchObject({ code: 'ExpiredToken' })
    const { Events } = await clientOf(server, key!, later).json<{ Events: { EventName: string }[] }>(
      'cloudtrail',
      'CloudTrail_20131101.LookupEvents',
    )
    expect(Events.map(({ EventName }) => EventName)).toContain('AdvanceClock')
  })

  test('takes signatures by real time and by its own, wherever its clock is, and reports its time', async () => {
    const server = await start()
    const [key] = server.accounts
    for (const now of ['2031-01-31T12:00:00Z', '2020-02-29T00:00:00.000Z']) {
      const set = await post(server, 'clock', key, JSON.stringify({ now }))
      expect([set.status, set.body.now.slice(0, 10)]).toEqual([200, now.slice(0, 10)])
      const moved = () => Date.parse(now)

      await clientOf(server, key!).query('sts', 'GetCallerIdentity')
      await clientOf(server, key!, moved).query('sts', 'GetCallerIdentity')
      const neither = clientOf(server, key!, () => Date.parse('2015-01-01T00:00:00Z'))
      await expect(neither.query('sts', 'GetCallerIdentity')).rejects.toThrow(/Signature expired/)
      const { headers } = await fetch(`${server.url}/?Action=GetCallerIdentity`)
      expect(Math.abs(Date.parse(headers.get('date')!) - moved())).toBeLessThan(60_000)
      expect((await post(server, 'clock', key, '{"advanceSeconds":60}')).status).toBe(200)
    }
    const { Events } = await clientOf(server, key!).json<{ Events: { EventName: string }[] }>(
      'cloudtrail',
      'CloudTrail_20131101.LookupEvents',
    )
    expect(Events.map(({ EventName }) => EventName)).toContain('SetClock')
  })

  test('a reset resets its clock', async () => {
    const server = await start()
    const [key] = server.accounts
    await post(server, 'clock', key, '{"advanceSeconds":86400}')

    await post(server, 'reset', key)

    const { body } = await post(server, 'clock', key, '{"advanceSeconds":0}')
    expect(Math.abs(Date.parse(body.now) - Date.now())).toBeLessThan(60_000)
  })

  test.each([
    '{"advanceSeconds":-1}',
    '{"advanceSeconds":"9"}',
    '{}',
    'null',
    '{"now":5}',
    '{"now":"tomorrow"}',
    '{"now":"9999-12-31T00:00:00Z"}',
    '{"now":"2030-01-01","advanceSeconds":1}',
    'nonsense',
    '',
  ])('refuses to move its clock by %s', async (body) => {
    const server = await start()

    expect((await post(server, 'clock', server.accounts[0]!, body)).status).toBe(400)
  })

  test('starts again for the root user: what was made is gone, its keys still work', async () => {
    const server = await start()
    const [key] = server.accounts
    const root = clientOf(server, key!)
    await root.query('iam', 'CreateUser', { UserName: 'ann' })

    const reset = await post(server, 'reset', key)

    expect(reset.status).toBe(200)
    await expect(root.query('iam', 'GetUser', { UserName: 'ann' })).rejects.toMatchObject({ code: 'NoSuchEntity' })
  })

  test('starts again for no other user', async () => {
    const server = await start()
    const root = clientOf(server, server.accounts[0]!)
    const ann = await userKey(root, 'ann')
    const wrong = { ...server.accounts[0]!, secretAccessKey: 'wrong' }

    const answers = await Promise.all([
      post(server, 'reset', undefined),
      post(server, 'reset', ann),
      post(server, 'reset', wrong),
    ])

    expect(answers.map(({ status, body }) => [status, body.__type])).toEqual([
      [403, 'MissingAuthenticationToken'],
      [403, 'AccessDenied'],
      [403, 'SignatureDoesNotMatch'],
    ])
    expect(element(await root.query('iam', 'GetUser', { UserName: 'ann' }), 'UserName')).toBe('ann')
  })
})

describe('a seed', () => {
  test('makes accounts, users with their keys, groups, roles and policies, also after a reset', async () => {
    const server = await start(['--seed', write(seed)])
    const rootKey = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'root-secret' }
    const ann = clientOf(server, { accessKeyId: 'AKIAANNANNANNANNANNA', secretAccessKey: 'ann-secret' })

    const before = await ann.query('iam', 'GetRole', { RoleName: 'deploy' })
    const listing = ann.query('iam', 'ListRoles')
    await expect(listing).rejects.toMatchObject({ code: 'AccessDenied' })
    await post(server, 'reset', rootKey)
    const after = await ann.query('iam', 'GetRole', { RoleName: 'deploy' })

    expect(element(before, 'RoleName')).toBe('deploy')
    expect(element(after, 'RoleName')).toBe('deploy')
    expect(server.accounts.map(({ accountId }) => accountId)).toEqual(['123456789012', '210987654321'])
  })

  test.each([
    ['accounts: 3', 'list of accounts'],
    ['accounts: [{ id: 12 }]', 'twelve digits'],
    ['accounts: [{ id: "123456789012", user: [] }]', "a member 'user'"],
    ['accounts: [{ id: "123456789012", users: [{ name: ann, policy: [] }] }]', "a member 'policy'"],
    ['accounts: [{ id: "123456789012", users: [{ name: ann, policies: [none] }] }]', 'policy/none'],
  ])('that says %s is refused with the reason', async (text, reason) => {
    const ended = await merlon(['start', '--dev', '--port', '0', '--seed', write(text)])

    expect(ended.status).toBe(1)
    expect(ended.stderr).toContain(reason)
  })
})

describe('the reset of one account', () => {
  const OTHER = '210987654321'
  const ROOT = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'root-secret' }

  test('makes what it has as it was, and leaves the other account as it is', async () => {
    const server = await start(['--seed', write(seed)])
    const root = clientOf(server, ROOT)
    const other = clientOf(server, server.accounts.find(({ accountId }) => accountId === OTHER)!)
    await root.query('iam', 'CreateUser', { UserName: 'late' })
    await root.query('iam', 'UpdateUser', { UserName: 'ann', NewUserName: 'anne' })
    await root.json('kms', 'TrentService.CreateKey')
    await other.query('iam', 'CreateUser', { UserName: 'stays' })

    const { status, body } = await post(server, 'reset', ROOT, '{"account":"123456789012"}')

    expect([status, body]).toEqual([200, { reset: true, account: '123456789012' }])
    await expect(root.query('iam', 'GetUser', { UserName: 'late' })).rejects.toMatchObject({ code: 'NoSuchEntity' })
    expect(element(await root.query('iam', 'GetUser', { UserName: 'ann' }), 'UserName')).toBe('ann')
    expect(await root.json('kms', 'TrentService.ListKeys')).toMatchObject({ Keys: [] })
    expect(element(await other.query('iam', 'GetUser', { UserName: 'stays' }), 'UserName')).toBe('stays')
    const ann = clientOf(server, { accessKeyId: 'AKIAANNANNANNANNANNA', secretAccessKey: 'ann-secret' })
    expect(element(await ann.query('iam', 'GetRole', { RoleName: 'deploy' }), 'RoleName')).toBe('deploy')
  })

  test.each([
    ['{"account":"999999999999"}', 'was not there at the start'],
    ['{"account":"12"}', 'Send'],
    ['{"account":5}', 'Send'],
    ['nonsense', 'Send'],
  ])('is refused for %s', async (body, reason) => {
    const server = await start(['--seed', write(seed)])

    const answer = await post(server, 'reset', ROOT, body)

    expect(answer.status).toBe(400)
    expect(answer.body.message).toContain(reason)
  })

  test('is refused once the account has joined an organization', async () => {
    const server = await start(['--seed', write(seed)])
    await clientOf(server, ROOT).json('organizations', 'AWSOrganizationsV20161128.CreateOrganization', {
      FeatureSet: 'ALL',
    })

    const answer = await post(server, 'reset', ROOT, '{"account":"123456789012"}')

    expect(answer.body.message).toContain('has joined or left an organization')
  })
})

describe('merlon export', () => {
  test('writes a seed that makes the same server again', async () => {
    const server = await start(['--seed', write(seed)])
    const environment = { AWS_ACCESS_KEY_ID: 'AKIAROOTROOTROOTROOT', AWS_SECRET_ACCESS_KEY: 'root-secret' }
    const root = clientOf(server, { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'root-secret' })
    await root.json('secretsmanager', 'secretsmanager.CreateSecret', {
      Name: 'app/db',
      SecretString: 'hunter-secret-2',
      ClientRequestToken: '11111111-2222-3333-4444-555555555555',
    })
    const file = join(temporaryFolder(), 'exported.yaml')

    const told = await merlon(['export', '--endpoint', server.url, '--output', file], environment)

    expect(told).toMatchObject({ status: 0, stdout: '' })
    expect(told.stderr).toContain('Left out: the values of the secrets of account 123456789012')
    expect(readFileSync(file, 'utf8')).not.toMatch(/hunter-secret-2|ann-secret|root-secret/)
    expect((await merlon(['export', '--endpoint', server.url, '--output', file], environment)).status).toBe(1)

    const again = await start(['--seed', file])
    const [account] = again.accounts
    const keys = { AWS_ACCESS_KEY_ID: account!.accessKeyId, AWS_SECRET_ACCESS_KEY: account!.secretAccessKey }
    const [first, second] = await Promise.all([
      merlon(['export', '--endpoint', server.url, '--json'], environment),
      merlon(['export', '--endpoint', again.url, '--json'], keys),
    ])
    expect(JSON.parse(second.stdout)).toEqual(JSON.parse(first.stdout))
  })

  test('of a data folder needs no keys; of a server on disk, none are served', async () => {
    const data = join(temporaryFolder(), 'data')
    await merlon(['init', '--data', data])

    const told = await merlon(['export', '--data', data, '--json'])

    expect(JSON.parse(told.stdout)).toMatchObject({ accounts: [{ id: expect.stringMatching(/^\d{12}$/) }] })
  })
})

describe('The inbox', () => {
  test('has the mail of services: by the command with the root key, and by the page for the root user alone', async () => {
    const server = await start()
    const [account] = server.accounts
    const { accessKeyId, secretAccessKey } = account!
    await post(server, 'root-password', account, '{"email":"root@corp.test","password":"Correct-Horse-7"}')
    const { signIn } = server as unknown as { readonly signIn: string }
    const { origin } = new URL(signIn)
    let cookies = ''
    const open = async (path: string, form?: Readonly<Record<string, string>>) => {
      const response = await fetch(origin + path, {
        method: form ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { cookie: cookies },
        ...(form && { body: new URLSearchParams(form) }),
      })
      for (const cookie of response.headers.getSetCookie()) cookies += `${cookie.split(';')[0]}; `
      return { status: response.status, location: response.headers.get('location'), text: await response.text() }
    }
    const csrfOf = (text: string) => /name="csrf" value="([^"]*)"/.exec(text)![1]!
    const asked = await open('/signin/reset')
    await open('/signin/reset', { csrf: csrfOf(asked.text), email: 'root@corp.test' })

    const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    const inbox = (...words: readonly string[]) => merlon(['inbox', '--endpoint', server.url, ...words], environment)
    await expect
      .poll(async () => (await inbox()).stdout, { timeout: 30_000 })
      .toMatch(/^1 {2}root@corp\.test {2}Your password reset code\n$/)
    const shown = await inbox('--show', '1')
    expect(shown.stdout).toMatch(
      /^To: root@corp\.test\nSubject: Your password reset code\n\nEnter this code [\s\S]*\n {2}\w{24}\n/,
    )
    expect((await inbox('--show', '2')).stderr).toContain('There is no message 2: the inbox has 1.')
    expect((await inbox('--mail', 'smtp://mail.corp.test')).stderr).toContain('--mail is file:///DIRECTORY')

    expect(await open('/inbox')).toMatchObject({ status: 303, location: '/signin' })
    const page = await open('/signin/root')
    await open('/signin/root', {
      csrf: csrfOf(page.text),
      email: 'root@corp.test',
      password: 'Correct-Horse-7',
      redirect: '/inbox',
    })
    const [, id = ''] = /href="(\/inbox\/[0-9a-f]{16})"/.exec((await open('/inbox')).text) ?? []
    expect((await open(id)).text).toContain('Enter this code')
  })
})
