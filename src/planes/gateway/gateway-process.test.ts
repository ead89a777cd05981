/** Gateways in processes of their own: enrolled over HTTP, without the database, and together. */
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { ACMClient, ImportCertificateCommand } from '@aws-sdk/client-acm'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import { AssociateWebACLCommand, CreateWebACLCommand, WAFV2Client } from '@aws-sdk/client-wafv2'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createCode } from '../../kernel/planes/enrollment.ts'
import type { GatewayContent } from '../../kernel/planes/gateway-content.ts'
import { createLogger } from '../../server/compose/log.ts'
import { listen } from '../../server/listen/listener.ts'
import { runPlane } from '../../server/plane/plane-process.ts'
import { loadBalancing, selfSignedCertificate } from '../../services/elbv2/elbv2.fixture.ts'
import { target, WAIT } from './gateway.fixture.ts'

async function controlPlane() {
  const it = await loadBalancing()
  // Throttling and counts are by the real clock of the gateways.
  const listener = await listen((request) => it.handle(request), { host: '127.0.0.1', port: 0 })
  let isListening = true
  const stop = async () => {
    if (isListening) await listener.close()
    isListening = false
  }
  onTestFinished(stop)
  const gateway = async (node: string, state?: string, scope?: readonly string[]) => {
    const place = state ?? (await mkdtemp(join(tmpdir(), 'gateway-')))
    const code = isListening
      ? await it.store.run((unit) => createCode(unit, it.vault, 'gateway', it.clock.now(), scope))
      : undefined
    const plane = await runPlane({
      plane: 'gateway',
      node,
      state: place,
      host: '127.0.0.1',
      ports: {},
      metricsPort: 0,
      logger: createLogger('error'),
      recordsEveryMs: 200,
      waitMs: 200,
      gateway: { portOf: () => 0 },
      ...(state === undefined && { server: listener.url, code }),
    })
    let isRunning = true
    const end = async () => {
      if (isRunning) await plane.close()
      isRunning = false
    }
    onTestFinished(end)
    const port = async (name = 'port-80') => {
      const found = await vi.waitFor(() => {
        const open = plane.listeners.find((each) => each.name === name)
        if (!open) throw new Error(`no ${name}`)
        return open.port
      }, WAIT)
      return found
    }
    return { plane, state: place, end, port }
  }
  const a = await target('a')
  const group = await it.group('web')
  await it.elb.send(
    new elb.RegisterTargetsCommand({ TargetGroupArn: group, Targets: [{ Id: '127.0.0.1', Port: a.port }] }),
  )
  const { LoadBalancerArn = '' } = await it.balancer('shop')
  const listenerArn = await it.listener(LoadBalancerArn, 80, group)
  return { ...it, groupNamed: it.group, stop, gateway, a, group, arn: LoadBalancerArn, listenerArn }
}

const status = async (port: number, path = '/') => (await fetch(`http://127.0.0.1:${port}${path}`)).status

test('goes on without its server, over a restart, with keys that only it can read', async () => {
  const it = await controlPlane()
  const { CertificateArn } = await it
    .client(ACMClient)
    .send(new ImportCertificateCommand(await selfSignedCertificate(['shop.example'])))
  await it.elb.send(
    new elb.CreateListenerCommand({
      LoadBalancerArn: it.arn,
      Port: 443,
      Protocol: 'HTTPS',
      Certificates: [{ CertificateArn: CertificateArn! }],
      DefaultActions: [{ Type: 'forward', TargetGroupArn: it.group }],
    }),
  )
  const first = await it.gateway('edge-1')
  await first.port('port-443')
  await vi.waitFor(async () => expect(await status(await first.port())).toBe(200), WAIT)
  const stored = await readFile(join(first.state, 'snapshot.json'), 'utf8')
  expect(stored).toContain('BEGIN CERTIFICATE')
  expect(stored).not.toContain('PRIVATE KEY')
  await it.stop()
  expect(await status(await first.port())).toBe(200)
  await first.end()
  const again = await it.gateway('edge-1', first.state)
  expect(await status(await again.port())).toBe(200)
  const port = await again.port('port-443')
  const subject = await new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN)
      socket.destroy()
    })
    socket.on('error', reject)
  })
  expect(subject).toBe('shop.example')
})

test('Two gateways limit the sum of what both get, and changes reach both', async () => {
  const it = await controlPlane()
  const waf = it.client(WAFV2Client)
  const visibility = { MetricName: 'm', SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false }
  const { Summary } = await waf.send(
    new CreateWebACLCommand({
      Name: 'acl',
      Scope: 'REGIONAL',
      DefaultAction: { Allow: {} },
      VisibilityConfig: visibility,
      Rules: [
        {
          Name: 'rate',
          Priority: 1,
          Statement: { RateBasedStatement: { Limit: 100, EvaluationWindowSec: 60, AggregateKeyType: 'IP' } },
          Action: { Block: {} },
          VisibilityConfig: visibility,
        },
      ],
    }),
  )
  await waf.send(new AssociateWebACLCommand({ WebACLArn: Summary!.ARN, ResourceArn: it.arn }))
  const [one, two] = [await it.gateway('edge-1'), await it.gateway('edge-2')]
  const ports = [await one.port(), await two.port()]
  for (const port of ports) await vi.waitFor(async () => expect(await status(port)).toBe(200), WAIT)
  // 120 requests, 60 at each: neither alone is above the limit.
  for (let n = 0; n < 58; n++) for (const port of ports) await status(port)
  for (const port of ports) await vi.waitFor(async () => expect(await status(port)).toBe(403), WAIT)
  await one.end()
  expect(await status(ports[1]!)).toBe(403)
  await it.elb.send(
    new elb.ModifyListenerCommand({
      ListenerArn: it.listenerArn,
      Port: 81,
    }),
  )
  await two.port('port-81')
})

test('What a gateway counts is served on loopback, with its health, and nothing else is', async () => {
  const it = await controlPlane()
  const { plane, port } = await it.gateway('one')
  const at = await port()
  await vi.waitFor(async () => expect(await status(at)).toBe(200), WAIT)
  const read = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${plane.metricsPort}${path}`, init)
  const health = await read('/health')
  expect([health.status, await health.json()]).toEqual([200, { status: 'open', snapshot: expect.any(Number) }])
  const text = await (await read('/metrics')).text()
  expect(text).toContain('merlon_plane_open{plane="gateway"} 1\n')
  expect(text).toMatch(/^merlon_gateway_requests_total\{[^}]*status="200"\} [1-9]/m)
  expect((await read('/')).status).toBe(404)
  expect((await read('/metrics', { method: 'POST' })).status).toBe(405)
})

test('A gateway that was enrolled for some load balancers gets nothing of others', async () => {
  const it = await controlPlane()
  const acm = it.client(ACMClient)
  const secured = async (name: string, port: number) => {
    const { CertificateArn = '' } = await acm.send(
      new ImportCertificateCommand(await selfSignedCertificate([`${name}.example`])),
    )
    const group = await it.groupNamed(name)
    const { LoadBalancerArn = '' } = await it.balancer(name)
    await it.elb.send(
      new elb.CreateListenerCommand({
        LoadBalancerArn,
        Port: port,
        Protocol: 'HTTPS',
        Certificates: [{ CertificateArn }],
        DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
      }),
    )
    return { arn: LoadBalancerArn, certificate: CertificateArn, group }
  }
  const [own, other] = [await secured('own', 8443), await secured('other', 9443)]
  const everything = await it.gateway('edge-all')
  const one = await it.gateway('edge-one', undefined, [own.arn])
  const elsewhere = await it.gateway('edge-none', undefined, ['999999999999'])
  await everything.port('port-9443')
  await one.port('port-8443')
  expect(one.plane.listeners.map(({ name }) => name)).toEqual(['port-8443'])
  const snapshotOf = async ({ state }: { readonly state: string }) => {
    const { body } = JSON.parse(await readFile(join(state, 'snapshot.json'), 'utf8')) as { body: string }
    return JSON.parse(body) as GatewayContent
  }
  const content = await snapshotOf(one)
  expect(Object.keys(content.certificates)).toEqual([own.certificate])
  expect(content.targetGroups.map(({ arn }) => arn)).toEqual([own.group])
  expect(JSON.stringify(content)).not.toContain(other.arn)
  // Neither can open what was sealed for the others.
  expect(Object.keys(content.secrets.nodes)).toEqual(['edge-one'])
  expect(Object.keys((await snapshotOf(everything)).secrets.nodes)).toEqual(['edge-all'])
  await vi.waitFor(async () => expect((await snapshotOf(elsewhere)).loadBalancers).toEqual([]), WAIT)
})
