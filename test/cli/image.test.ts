/** The container image without a container engine: its root file system, read-only, as another user, by bubblewrap. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { buildRoot, USER } from '../../tools/image/build-root.mjs'
import { type MadeAccount, temporaryFolder } from '../process.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const running: ChildProcess[] = []
const repository = (file: string) => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')
let megabytes: number

beforeAll(() => {
  megabytes = buildRoot(at('root')) / 1e6
  for (const name of ['data', 'keys']) {
    mkdirSync(at(name))
    chmodSync(at(name), 0o700)
  }
})
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Runs `words` as a command in the image, with the user and the read-only root of the Dockerfile and compose.yaml. */
function inImage(words: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const mounts = [
    '--ro-bind',
    at('root'),
    '/',
    '--bind',
    at('data'),
    '/data',
    '--bind',
    at('keys'),
    '/keys',
    '--tmpfs',
    '/tmp',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
  ]
  const user = [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--uid',
    String(USER),
    '--gid',
    String(USER),
    '--die-with-parent',
    '--chdir',
    '/data',
  ]
  const variables = Object.entries({ HOME: '/data', ...environment }).flatMap(([name, value]) => [
    '--setenv',
    name,
    value,
  ])
  const child = spawn(
    'bwrap',
    [...mounts, ...user, '--clearenv', ...variables, '/usr/bin/node', '/app/dist/merlon.js', ...words],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  running.push(child)
  return child
}

async function started(words: readonly string[], environment = {}) {
  const child = inImage(['start', '--port', '0', '--json', ...words], environment)
  let log = ''
  child.stderr!.on('data', (part) => (log += part))
  const line = await Promise.race([once(createInterface({ input: child.stdout! }), 'line'), once(child, 'exit')])
  if (typeof line[0] !== 'string') throw new Error(log)
  const { url, accounts } = JSON.parse(line[0]) as { url: string; accounts: MadeAccount[] }
  return { child, url: url.replace('0.0.0.0', '127.0.0.1'), accounts, log: () => log }
}

const ended = async (child: ChildProcess): Promise<number | null> => (await once(child, 'exit'))[0]

/** As compose.yaml has it, so that what is tested is what is shown. */
const compose = parse(repository('compose.yaml')) as {
  services: Record<string, { command: string[]; environment: Record<string, string> }>
}

test('is small, and has neither shell nor package manager', () => {
  expect(megabytes).toBeLessThan(120)
  for (const path of ['bin', 'usr/bin/sh', 'usr/bin/npm', 'app/dist/types', 'app/src'])
    expect(existsSync(at(`root/${path}`)), path).toBe(false)
  const dockerfile = repository('Dockerfile')
  expect(dockerfile).toContain(`USER ${USER}:${USER}`)
  expect(dockerfile).toMatch(/^FROM scratch\n/m)
})

test('is described for PostgreSQL, too, by variables that the release reads', () => {
  const known = readdirSync(at('root/app/dist/chunks')).map((file) =>
    readFileSync(at(`root/app/dist/chunks/${file}`), 'latin1'),
  )
  const variables = Object.values(compose.services).flatMap(({ environment }) => Object.keys(environment))
  const merlon = variables.filter((name) => name.startsWith('MERLON_'))

  expect(merlon).toContain('MERLON_STORE_PASSWORD_FILE')
  for (const name of merlon)
    expect(
      known.some((text) => text.includes(name)),
      name,
    ).toBe(true)
})

test('serves as another user from a read-only root, and keeps its data over a restart', async () => {
  const { command, environment } = compose.services['merlon']!
  const words = command.slice(1)
  const first = await started(words, environment)
  const { accessKeyId, secretAccessKey } = first.accounts[0]!
  const client = (url: string) =>
    new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(url) })
  await client(first.url).query('iam', 'CreateUser', { UserName: 'kept' })
  expect((await fetch(`${first.url}/health`)).status).toBe(200)
  // What HEALTHCHECK runs.
  expect(await ended(inImage(['status', '--port', new URL(first.url).port]))).toBe(0)
  first.child.kill('SIGKILL')
  await ended(first.child)

  const again = await started(words, environment)
  expect(again.accounts).toEqual([])
  expect(await client(again.url).query('iam', 'ListUsers')).toContain('<UserName>kept</UserName>')
  expect(existsSync(at('keys/merlon.key'))).toBe(true)
  expect(existsSync(at('data/root.key'))).toBe(false)
  again.child.kill('SIGKILL')
})

test('serves tests in memory, signed as ever', async () => {
  const { command, environment } = compose.services['dev']!
  const server = await started(command.slice(1), environment)
  const credential = {
    accessKeyId: environment['MERLON_ROOT_ACCESS_KEY_ID']!,
    secret: environment['MERLON_ROOT_SECRET_ACCESS_KEY']!,
  }

  expect(await new Client({ credential, transport: overHttp(server.url) }).query('sts', 'GetCallerIdentity')).toContain(
    ':root',
  )
  expect((await fetch(`${server.url}/?Action=GetCallerIdentity&Version=2011-06-15`)).status).toBe(403)
  expect(server.log()).toContain('development server beyond this machine')
})
