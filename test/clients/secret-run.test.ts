/** Secrets in a program's environment: by name, by member, and never in an error. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { installation, merlon, type Running, startMerlon } from '../process.ts'
import { environmentFor } from './command.ts'

let server: Running

beforeAll(async () => {
  server = await startMerlon(installation())
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const root = new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(server.url) })
  const create = (Name: string, value: object) =>
    root.json('secretsmanager', 'secretsmanager.CreateSecret', { ClientRequestToken: randomUUID(), Name, ...value })
  await create('db', { SecretString: '{"DB_USER":"app","DB_PASSWORD":"s3cr3t","port":5432}' })
  await create('plain', { SecretString: 'just-text' })
  await create('nul', { SecretString: 's3cr3t\u0000tail' })
  await create('nul-member', { SecretString: '{"TOKEN":"s3cr3t\\u0000tail"}' })
  await create('bytes', { SecretBinary: 'AAEC' })
})
afterAll(() => server?.stop())

const run = (...words: readonly string[]) =>
  merlon(['secret', 'run', ...words], environmentFor(server.url, server.accounts[0]!))

test('A program gets what was named, and its exit status is ours', async () => {
  const named = ['--secret', 'db', '--env', 'ALL=plain', '--env', 'PORT=db#port']
  const script = 'echo "$DB_USER $DB_PASSWORD $ALL $PORT"; exit 3'
  expect(await run(...named, '--', 'sh', '-c', script)).toMatchObject({
    status: 3,
    stdout: 'app s3cr3t just-text 5432\n',
  })
})

test.each<[string, readonly string[], RegExp]>([
  ['an unknown secret', ['--secret', 'none'], /ResourceNotFoundException/],
  ['an unknown member', ['--env', 'X=db#none'], /has no member none/],
  ['text where members are wanted', ['--secret', 'plain'], /no JSON object/],
  ['bytes', ['--secret', 'bytes'], /binary/],
  ['a NUL character', ['--env', 'X=nul'], /secret nul .*X/],
  ['a NUL character in a member', ['--secret', 'nul-member'], /secret nul-member .*TOKEN/],
  ['no secret at all', [], /Missing secret/],
  ['a name that is none', ['--env', '1X=db'], /NAME=ID/],
])('%s runs nothing, and no value is printed', async (_what, words, reason) => {
  const { status, stdout, stderr } = await run(...words, '--', 'echo', 'ran')
  expect(status).not.toBe(0)
  expect(stdout).toBe('')
  expect(stderr).toMatch(reason)
  expect(stderr).not.toMatch(/s3cr3t|just-text/)
})
