/** What an operator can get wrong, through the built command line: a code, a reason, what to do, where it is explained. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { operatorErrors } from '../../src/server/compose/operator-errors.ts'
import { type Ended, merlon, merlonAs, type Running, startMerlon, temporaryFolder } from '../process.ts'

const running: Running[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')))
})

/** Two unused installations: to copy from. */
let [one, other] = ['', '']
beforeAll(async () => {
  ;[one, other] = [join(temporaryFolder(), 'one'), join(temporaryFolder(), 'other')]
  for (const data of [one, other]) expect((await merlon(['init', '--data', data])).status).toBe(0)
})
const copyOf = (data: string): string => {
  const copy = join(temporaryFolder(), 'data')
  cpSync(data, copy, { recursive: true })
  return copy
}
const start = (data: string, ...words: readonly string[]) => merlon(['start', '--data', data, '--port', '0', ...words])

/** A sentence that begins with the code, no stack trace, and where the documentation explains it. */
function expectExplained({ status, stdout, stderr }: Ended, code: keyof typeof operatorErrors): void {
  expect(stderr).toMatch(new RegExp(`^merlon: ${code}: `, 'm'))
  expect(stderr).toContain(`See docs/errors.md#${code.toLowerCase()}`)
  expect(stdout + stderr).not.toMatch(/^\s+at /m)
  expect(status).toBe(1)
}

/** Names and contents of all files; the lock is empty, and made by whatever looks. */
const contents = (data: string) =>
  readdirSync(data)
    .filter((name) => !statSync(join(data, name)).isDirectory() && !name.endsWith('.lock'))
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(data, name)))
        .digest('hex'),
    ])

describe('docs/errors.md', () => {
  test('explains each code of the table, and no other', () => {
    const headings = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^### (MERLON_\w+)$/gm)].map(
      ([, code]) => code,
    )

    expect([...headings].sort()).toEqual(Object.keys(operatorErrors).sort())
  })
})

describe('the data directory', () => {
  test.each(['', '/below'])('is a file%s', async (below) => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')

    expectExplained(await start(file + below), 'MERLON_DATA_NOT_A_DIRECTORY')
  })

  test.skipIf(process.getuid?.() !== 0)('cannot be written, or not even entered', async () => {
    const [readable, closed] = [copyOf(one), temporaryFolder()]
    chmodSync(join(readable, '..'), 0o755)
    chmodSync(readable, 0o755)
    const nobody = 65_534

    expectExplained(await merlonAs(nobody, ['start', '--data', readable, '--port', '0']), 'MERLON_DATA_NOT_WRITABLE')
    expectExplained(await merlonAs(nobody, ['start', '--data', join(closed, 'x')]), 'MERLON_DATA_NOT_WRITABLE')
  })

  test('is in use', async () => {
    const data = copyOf(one)
    running.push(await startMerlon(['--data', data]))

    expectExplained(await start(data), 'MERLON_DATA_IN_USE')
  })

  test('has a damaged database', async () => {
    const [noise, cut] = [copyOf(one), copyOf(one)]
    writeFileSync(join(noise, 'merlon.db'), 'x'.repeat(8192))
    truncateSync(join(cut, 'merlon.db'), 20_000)

    for (const data of [noise, cut]) {
      const ended = await start(data)
      expectExplained(ended, 'MERLON_DATABASE_DAMAGED')
      expect(ended.stderr).toContain(data)
    }
  })

  test('has lost its database', async () => {
    const data = copyOf(one)
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(data, `merlon.db${suffix}`), { force: true })
    const before = contents(data)

    expectExplained(await start(data, '--accept-rollback'), 'MERLON_DATABASE_MISSING')
    expect(contents(data)).toEqual(before)
  })

  test.each([
    ['', []],
    [' and its head', ['merlon.head']],
    [' and its root key', ['root.key']],
  ])('has lost its keyring%s: nothing is written, and a rollback that is accepted does not help', async (_, more) => {
    const data = copyOf(one)
    for (const name of ['merlon.keyring', ...more]) rmSync(join(data, name))
    const before = contents(data)

    for (const words of [[], ['--accept-rollback']]) {
      const ended = await start(data, ...words)
      expectExplained(ended, 'MERLON_KEYRING_MISSING')
      expect(ended.stderr).toContain(join(data, 'merlon.keyring'))
    }

    expect(contents(data)).toEqual(before)
    cpSync(join(one, 'merlon.keyring'), join(data, 'merlon.keyring'))
    if (more.length === 0) running.push(await startMerlon(['--data', data]))
  })

  test('has the keyring of another installation', async () => {
    const data = copyOf(one)
    cpSync(join(other, 'merlon.keyring'), join(data, 'merlon.keyring'))
    expectExplained(await start(data), 'MERLON_SEALER_UNAVAILABLE')

    cpSync(join(other, 'root.key'), join(data, 'root.key'))

    for (const words of [[], ['--accept-rollback']])
      expectExplained(await start(data, ...words), 'MERLON_KEYRING_MISMATCH')
  })

  test('has an earlier keyring, which does not know an account', async () => {
    const data = join(temporaryFolder(), 'data')
    mkdirSync(data)
    // The account is made by the first start, after the keyring.
    await merlon(['start', '--data', data, '--host', '192.0.2.1'])
    const earlier = readFileSync(join(data, 'merlon.keyring'))
    const server = await startMerlon(['--data', data])
    await server.stop('SIGKILL')
    writeFileSync(join(data, 'merlon.keyring'), earlier)

    for (const words of [[], ['--accept-rollback']])
      expectExplained(await start(data, ...words), 'MERLON_KEYRING_MISMATCH')
  })

  test('is older than it was', async () => {
    const data = copyOf(one)
    await (await startMerlon(['--data', data])).stop()
    cpSync(join(one, 'merlon.db'), join(data, 'merlon.db'))

    const ended = await start(data)

    expectExplained(ended, 'MERLON_ROLLBACK_DETECTED')
    expect(ended.stderr).toContain('--accept-rollback')
  })

  test('has no installation, or one already', async () => {
    const empty = join(temporaryFolder(), 'none')

    expectExplained(await merlon(['sealer', 'list', '--data', empty]), 'MERLON_NOT_INITIALIZED')
    expectExplained(await merlon(['init', '--data', one]), 'MERLON_ALREADY_INITIALIZED')
    expectExplained(await merlon(['unseal', '--data', one]), 'MERLON_NOT_RUNNING')
  })

  test('belongs to other data', async () => {
    const elsewhere = { MERLON_STORE: 'postgres://x@127.0.0.1:1/x' }

    expectExplained(await merlon(['start', '--data', one, '--port', '0'], elsewhere), 'MERLON_DATA_MISMATCH')
  })
})

describe('the address', () => {
  test('is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }

    const ended = await merlon(['start', '--data', copyOf(one), '--port', String(port)])
    server.close()

    expectExplained(ended, 'MERLON_ADDRESS_IN_USE')
  })

  test('is not to be listened on', async () => {
    expectExplained(await start(copyOf(one), '--host', '0.0.0.0'), 'MERLON_ADDRESS_NOT_ALLOWED')
  })
})

describe('PostgreSQL', () => {
  const place = (MERLON_STORE: string) =>
    merlon(['start', '--data', join(temporaryFolder(), 'node'), '--port', '0'], { MERLON_STORE })

  test('is not there, or its address is none', async () => {
    const away = await place('postgres://merlon:very-secret@127.0.0.1:1/merlon')

    expectExplained(away, 'MERLON_STORE_UNREACHABLE')
    expect(away.stderr).toContain('merlon@127.0.0.1:1/merlon')
    expect(away.stderr).not.toContain('very-secret')
    expectExplained(await place('mysql://127.0.0.1/merlon'), 'MERLON_STORE_URL_INVALID')
  })

  test('leaves a directory without a name behind when it was not reached', async () => {
    const data = join(temporaryFolder(), 'node')
    await merlon(['start', '--data', data, '--node', 'a'], { MERLON_STORE: 'postgres://merlon@127.0.0.1:1/merlon' })

    expect(readdirSync(data)).not.toContain('merlon.node')
  })
})

describe('a seed', () => {
  const write = (text: string) => {
    const file = join(temporaryFolder(), 'seed.yaml')
    writeFileSync(file, text)
    return file
  }
  const account = 'accounts:\n  - id: "123456789012"\n'

  test.each([
    ['broken YAML', `${account}    users: [{ name: ann ]\n`, /line 3: /],
    ['an unknown member', `${account}    users:\n      - name: ann\n        policy: [x]\n`, /line 5: .*'policy'/],
    [
      'a policy that IAM refuses',
      `${account}    policies:\n      - name: look\n        document: { Version: "2012-10-17", Statement: [{ Effect: Maybe, Action: "*", Resource: "*" }] }\n`,
      /line 5: policy 'look' of account 123456789012 .*MalformedPolicyDocument/,
    ],
    [
      'an inline policy that IAM refuses',
      `${account}    users:\n      - name: ann\n        inline:\n          all: "{"\n`,
      /line 6: inline policy 'all' of user 'ann' .*MalformedPolicyDocument/,
    ],
    ['a list that is none', `${account}    users: 3\n`, /line 3: 'users' is a list/],
  ])('with %s is refused with its name and the line', async (_, text, complaint) => {
    const file = write(text)

    const ended = await merlon(['start', '--dev', '--port', '0', '--seed', file])

    expectExplained(ended, 'MERLON_SEED_INVALID')
    expect(ended.stderr).toContain(`${file}, line `)
    expect(ended.stderr).toMatch(complaint)
  })

  test('that is not there, or a directory, is named', async () => {
    const missing = join(temporaryFolder(), 'none.yaml')

    expectExplained(await merlon(['start', '--dev', '--seed', missing]), 'MERLON_FILE_MISSING')
    const directory = await merlon(['start', '--dev', '--seed', temporaryFolder()])
    expectExplained(directory, 'MERLON_FILE_NOT_USABLE')
    expect(directory.stderr).toContain('merlon-test-')
  })
})

test('an endpoint that nothing answers on is explained', async () => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLEEXAMPLE00', AWS_SECRET_ACCESS_KEY: 'secret' }
  const ended = await merlon(['credentials', 'process', '--endpoint', 'http://127.0.0.1:9'], keys)

  expectExplained(ended, 'MERLON_ENDPOINT_UNREACHABLE')
  expect(ended.stderr).toContain('http://127.0.0.1:9')
})
