/** boto3: the suite is Python's (boto3_suite.py); this starts the servers, runs it, and believes only what it counted. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, startMerlon, temporaryFolder } from '../process.ts'
import { cleanEnvironment, run } from './command.ts'

const suite = fileURLToPath(new URL('./boto3_suite.py', import.meta.url))

let server: Running
/** Its clock moves: sessions end without waiting. */
let development: Running
beforeAll(async () => {
  server = await startMerlon(['--data', join(temporaryFolder(), 'data')])
  development = await startMerlon(['--dev'])
})
afterAll(() => Promise.all([server, development].map((each) => each?.stop('SIGKILL'))))

test('boto3 finds paginators, waiters, error classes, resources, sessions and presigned URLs as on AWS', async () => {
  const [root] = server.accounts
  const [devRoot] = development.accounts

  const ended = await run('python3', [suite], {
    ...cleanEnvironment(),
    PYTHONDONTWRITEBYTECODE: '1',
    MERLON_URL: server.url,
    MERLON_ACCOUNT_ID: root!.accountId,
    MERLON_ACCESS_KEY_ID: root!.accessKeyId,
    MERLON_SECRET_ACCESS_KEY: root!.secretAccessKey,
    MERLON_DEV_URL: development.url,
    MERLON_DEV_ACCESS_KEY_ID: devRoot!.accessKeyId,
    MERLON_DEV_SECRET_ACCESS_KEY: devRoot!.secretAccessKey,
  })

  const written = readFileSync(suite, 'utf8').match(/^ {4}def test_/gm)!.length
  const verdict = ended.stderr.trim().split('\n').at(-1)
  // The whole report is the message when something is wrong.
  expect([ended.status, verdict], ended.stderr).toEqual([0, 'OK'])
  expect(Number(/^Ran (\d+) tests/m.exec(ended.stderr)?.[1])).toBe(written)
})
