/** boto3: the suites are Python's (boto3_*.py); this starts the servers, runs them, and believes only what it counted. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, startMerlon, temporaryFolder } from '../process.ts'
import { cleanEnvironment, environmentFor, run } from './command.ts'

const script = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url))

let server: Running
/** Its clock moves: sessions end without waiting. */
let development: Running
beforeAll(async () => {
  server = await startMerlon(['--data', join(temporaryFolder(), 'data')])
  development = await startMerlon(['--dev'])
})
afterAll(() => Promise.all([server, development].map((each) => each?.stop('SIGKILL'))))

/** Every test that the file declares ran, and passed; the whole report is the message when something is wrong. */
async function passes(name: string, environment: Readonly<Record<string, string>>): Promise<void> {
  const declared = readFileSync(script(name), 'utf8').match(/^ {4}def test_/gm)!.length

  const { status, stderr } = await run('python3', [script(name)], { ...environment, PYTHONDONTWRITEBYTECODE: '1' })

  expect([status, stderr.trim().split('\n').at(-1)], stderr).toEqual([0, 'OK'])
  expect(Number(/^Ran (\d+) tests?/m.exec(stderr)?.[1])).toBe(declared)
}

test('boto3 finds paginators, waiters, error classes, resources, sessions and presigned URLs as on AWS', async () => {
  const [root] = server.accounts
  const [devRoot] = development.accounts

  await passes('boto3_suite.py', {
    ...cleanEnvironment(),
    MERLON_URL: server.url,
    MERLON_ACCOUNT_ID: root!.accountId,
    MERLON_ACCESS_KEY_ID: root!.accessKeyId,
    MERLON_SECRET_ACCESS_KEY: root!.secretAccessKey,
    MERLON_DEV_URL: development.url,
    MERLON_DEV_ACCESS_KEY_ID: devRoot!.accessKeyId,
    MERLON_DEV_SECRET_ACCESS_KEY: devRoot!.secretAccessKey,
  })
})

test('KMS 8: the grants of every operation give what they name, under their constraints, and hand on nothing wider', async () => {
  const grants = await startMerlon(['--dev'])
  try {
    const [root] = grants.accounts

    await passes('boto3_grants.py', {
      ...cleanEnvironment(),
      MERLON_URL: grants.url,
      MERLON_ACCOUNT_ID: root!.accountId,
      MERLON_ACCESS_KEY_ID: root!.accessKeyId,
      MERLON_SECRET_ACCESS_KEY: root!.secretAccessKey,
    })
  } finally {
    await grants.stop('SIGKILL')
  }
})

test('identity pools give boto3 credentials that IAM decides', async () => {
  const [root] = development.accounts

  await passes('boto3_identity_pools.py', {
    ...cleanEnvironment(),
    MERLON_URL: development.url,
    MERLON_ACCESS_KEY_ID: root!.accessKeyId,
    MERLON_SECRET_ACCESS_KEY: root!.secretAccessKey,
  })
})

test('web ACLs come back to boto3 as they went in, under lock tokens, pages and error classes of AWS', async () => {
  const [root] = development.accounts

  await passes('boto3_web_acls.py', {
    ...cleanEnvironment(),
    MERLON_URL: development.url,
    MERLON_ACCESS_KEY_ID: root!.accessKeyId,
    MERLON_SECRET_ACCESS_KEY: root!.secretAccessKey,
  })
})

test('no operation ends in an internal failure, however odd its input', async () => {
  const odd = await startMerlon(['--dev'])
  try {
    const [root] = odd.accounts

    await passes('boto3_oddities.py', { ...environmentFor(odd.url, root!), MERLON_ACCOUNT_ID: root!.accountId })
  } finally {
    await odd.stop('SIGKILL')
  }
})

test('boto3 retries throttled calls in each of its ways, and reports them by their codes', async () => {
  const narrow = await startMerlon(['--dev', '--limits', 'principal=20:2'])
  try {
    const [root] = narrow.accounts

    await passes('boto3_throttling.py', {
      ...cleanEnvironment(),
      MERLON_URL: narrow.url,
      MERLON_ACCESS_KEY_ID: root!.accessKeyId,
      MERLON_SECRET_ACCESS_KEY: root!.secretAccessKey,
    })
  } finally {
    await narrow.stop('SIGKILL')
  }
})
