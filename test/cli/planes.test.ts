/** The resolver in a process of its own, with the server and itself killed in between. */
import { type ChildProcess, spawn } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import { afterEach, expect, test, vi } from 'vitest'
import { merlon, merlonScript, startAlone, temporaryFolder } from '../process.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const WAIT = { timeout: 30_000, interval: 200 }

async function startPlane(words: readonly string[]): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, [merlonScript, 'plane', 'run', 'resolver', '--port', '0', '--json', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  closers.push(() => child.kill('SIGKILL'))
  let complaint = ''
  child.stderr!.on('data', (chunk) => (complaint += chunk))
  const ready = await Promise.race([
    once(createInterface({ input: child.stdout! }), 'line'),
    once(child, 'exit').then(() => undefined),
  ])
  if (!ready) throw new Error(complaint)
  return { child, port: (JSON.parse(ready[0]) as { port: number }).port }
}

const resolveAt = (port: number) => {
  const client = new Resolver({ timeout: 2_000, tries: 3 })
  client.setServers([`127.0.0.1:${port}`])
  return client.resolve4('www.corp.test')
}

test('a resolver answers while its server is dead, and after it was killed itself', async () => {
  const data = join(temporaryFolder(), 'data')
  const server = await startAlone(['--data', data, '--no-console'])
  closers.push(() => server.stop('SIGKILL'))
  const route53 = new Route53Client({ region: 'us-east-1', endpoint: server.url, credentials: server.accounts[0]! })
  const { HostedZone } = await route53.send(new CreateHostedZoneCommand({ Name: 'corp.test', CallerReference: '1' }))
  const ResourceRecordSet = {
    Name: 'www.corp.test',
    Type: 'A' as const,
    TTL: 60,
    ResourceRecords: [{ Value: '192.0.2.7' }],
  }
  const ChangeBatch = { Changes: [{ Action: 'UPSERT' as const, ResourceRecordSet }] }
  await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: HostedZone!.Id, ChangeBatch }))

  const { stdout: code, stderr } = await merlon(['plane', 'enroll', 'resolver', '--data', data])
  expect(stderr).toBe('')
  const state = join(temporaryFolder(), 'resolver')
  const first = await startPlane([
    '--state',
    state,
    '--server',
    server.url,
    '--enroll',
    code.trim(),
    '--node',
    'edge-1',
  ])
  await vi.waitFor(async () => expect(await resolveAt(first.port)).toEqual(['192.0.2.7']), WAIT)
  await vi.waitFor(
    async () => expect((await merlon(['plane', 'list', '--data', data])).stdout).toContain('resolver edge-1: open'),
    WAIT,
  )

  await server.stop('SIGKILL')
  expect(await resolveAt(first.port)).toEqual(['192.0.2.7'])
  first.child.kill('SIGKILL')
  const second = await startPlane(['--state', state])
  expect(await resolveAt(second.port)).toEqual(['192.0.2.7'])

  const unknown = await merlon(['plane', 'run', 'firewall', '--state', state])
  expect(unknown.stderr).toContain("There is no plane named 'firewall'")
}, 120_000)

test('a resolver in the server answers from the zones of its server', async () => {
  const server = await startAlone(['--dev', '--no-console', '--resolver', '127.0.0.1:0'])
  closers.push(() => server.stop('SIGKILL'))
  await vi.waitFor(() => expect(server.log()).toContain('plane runs'), WAIT)
  const port = Number(/"plane runs".*"port":(\d+)/.exec(server.log())?.[1])

  await expect(resolveAt(port)).rejects.toMatchObject({ code: 'EREFUSED' })
  expect((await merlon(['start', '--resolver', 'nowhere'])).stderr).toContain('--resolver is HOST:PORT')
}, 60_000)
