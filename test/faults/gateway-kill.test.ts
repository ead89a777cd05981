/**
 * Gateways in processes of their own, and kill -9: filtering goes on while the server is dead, a change arrives once it is back,
 * and one gateway is enough for the clients of both.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import { AssociateWebACLCommand, CreateWebACLCommand, UpdateWebACLCommand, WAFV2Client } from '@aws-sdk/client-wafv2'
import { afterEach, expect, test, vi } from 'vitest'
import { merlon, merlonScript, startAlone, temporaryFolder } from '../process.ts'
import { freePort } from '../rotation/databases.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const WAIT = { timeout: 60_000, interval: 100 }
const LISTENER = 8080
const visibility = (MetricName: string) => ({
  MetricName,
  SampledRequestsEnabled: true,
  CloudWatchMetricsEnabled: false,
})
const blocking = (text: string) => [
  {
    Name: 'path',
    Priority: 1,
    Statement: {
      ByteMatchStatement: {
        SearchString: Buffer.from(text),
        FieldToMatch: { UriPath: {} },
        TextTransformations: [{ Priority: 0, Type: 'NONE' as const }],
        PositionalConstraint: 'STARTS_WITH' as const,
      },
    },
    Action: { Block: {} },
    VisibilityConfig: visibility('path'),
  },
]

async function application(): Promise<number> {
  const server = createServer((_request, response) => response.end('the application')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close())
  return (server.address() as AddressInfo).port
}

/** `merlon plane run gateway`, ready; `address` of its listener. */
async function startGateway(data: string, server: string, name: string) {
  const enrolled = await merlon(['plane', 'enroll', 'gateway', '--data', data])
  expect(enrolled.status, enrolled.stderr).toBe(0)
  const port = await freePort()
  const state = join(temporaryFolder(), name)
  const words = ['plane', 'run', 'gateway', '--state', state, '--server', server, '--node', name, '--json']
  const child: ChildProcess = spawn(
    process.execPath,
    [merlonScript, ...words, '--gateway-port', `${LISTENER}=${port}`],
    { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, MERLON_PLANE_CODE: enrolled.stdout.trim() } },
  )
  closers.push(() => child.kill('SIGKILL'))
  await once(createInterface({ input: child.stdout! }), 'line')
  return { child, address: `http://127.0.0.1:${port}` }
}

async function statusOf(address: string, path: string): Promise<number> {
  try {
    const answer = await fetch(address + path, { signal: AbortSignal.timeout(5_000) })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return 0
  }
}

test('Filtering goes on while the server is dead, changes arrive when it is back, and one gateway serves the clients of both', async () => {
  const data = join(temporaryFolder(), 'data')
  const port = await freePort()
  let server = await startAlone(['--data', data, '--port', String(port)])
  closers.push(() => server.stop('SIGKILL'))
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const at = { endpoint: server.url, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey } }
  const balancing = new elb.ElasticLoadBalancingV2Client(at)
  const waf = new WAFV2Client(at)
  const { Subnets = [] } = await new EC2Client(at).send(new DescribeSubnetsCommand({}))
  const { LoadBalancers } = await balancing.send(
    new elb.CreateLoadBalancerCommand({ Name: 'shop', Subnets: Subnets.slice(0, 2).map(({ SubnetId }) => SubnetId!) }),
  )
  const { LoadBalancerArn } = LoadBalancers![0]!
  const { TargetGroups } = await balancing.send(
    new elb.CreateTargetGroupCommand({
      Name: 'shop',
      Protocol: 'HTTP',
      Port: 80,
      VpcId: Subnets[0]!.VpcId,
      TargetType: 'ip',
    }),
  )
  const { TargetGroupArn } = TargetGroups![0]!
  await balancing.send(
    new elb.RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: '127.0.0.1', Port: await application() }] }),
  )
  await balancing.send(
    new elb.CreateListenerCommand({
      LoadBalancerArn,
      Port: LISTENER,
      Protocol: 'HTTP',
      DefaultActions: [{ Type: 'forward', TargetGroupArn }],
    }),
  )
  const settings = {
    Name: 'acl',
    Scope: 'REGIONAL' as const,
    DefaultAction: { Allow: {} },
    VisibilityConfig: visibility('acl'),
  }
  const { Summary } = await waf.send(new CreateWebACLCommand({ ...settings, Rules: blocking('/admin') }))
  await waf.send(new AssociateWebACLCommand({ WebACLArn: Summary!.ARN, ResourceArn: LoadBalancerArn }))

  const [first, second] = [
    await startGateway(data, server.url, 'edge-1'),
    await startGateway(data, server.url, 'edge-2'),
  ]
  for (const { address } of [first, second]) {
    await vi.waitFor(async () => expect(await statusOf(address, '/')).toBe(200), WAIT)
    await vi.waitFor(async () => expect(await statusOf(address, '/admin')).toBe(403), WAIT)
  }

  await server.stop('SIGKILL')
  for (const { address } of [first, second])
    expect([await statusOf(address, '/'), await statusOf(address, '/admin')]).toEqual([200, 403])

  first.child.kill('SIGKILL')
  const killedAt = performance.now()
  expect([await statusOf(second.address, '/'), await statusOf(second.address, '/admin')]).toEqual([200, 403])
  console.log(`the other gateway answered ${Math.round(performance.now() - killedAt)} ms after the first was killed`)

  server = await startAlone(['--data', data, '--port', String(port)])
  await waf.send(
    new UpdateWebACLCommand({
      ...settings,
      Id: Summary!.Id,
      LockToken: Summary!.LockToken,
      Rules: blocking('/private'),
    }),
  )
  const changedAt = performance.now()
  await vi.waitFor(async () => expect(await statusOf(second.address, '/private')).toBe(403), WAIT)
  console.log(`a change reached the gateway after ${Math.round(performance.now() - changedAt)} ms`)
  expect(await statusOf(second.address, '/admin')).toBe(200)
}, 240_000)
