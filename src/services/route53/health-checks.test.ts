/** Health checks through the official client, with probes of real endpoints on this machine. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  ChangeTagsForResourceCommand,
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  GetCheckerIpRangesCommand,
  GetHealthCheckCommand,
  GetHealthCheckCountCommand,
  GetHealthCheckLastFailureReasonCommand,
  GetHealthCheckStatusCommand,
  type HealthCheckConfig,
  ListHealthChecksCommand,
  ListTagsForResourceCommand,
  Route53Client,
  UpdateHealthCheckCommand,
} from '@aws-sdk/client-route-53'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import { endpointProbes } from '../../kernel/ports/endpoint-probes.ts'
import { provide } from '../../kernel/ports/port.ts'
import { endpointProbesPort } from '../../server/endpoint-probes.ts'
import { unhealthyChecks } from './health.ts'
import { healthCheck } from './resources.ts'

async function opened(quotas = {}) {
  const it = await cloud({
    quotas,
    provides: [provide(endpointProbes, endpointProbesPort({ networks: '127.0.0.0/8' }))],
  })
  const root = it.client(Route53Client)
  let made = 0
  const create = async (config: Partial<HealthCheckConfig>, CallerReference = `made ${made++}`, client = root) => {
    const HealthCheckConfig = config as HealthCheckConfig
    return (await client.send(new CreateHealthCheckCommand({ CallerReference, HealthCheckConfig }))).HealthCheck!
  }
  const status = async (HealthCheckId: string) =>
    (await root.send(new GetHealthCheckStatusCommand({ HealthCheckId }))).HealthCheckObservations![0]?.StatusReport
  const isHealthy = async (id: string) => !(await unhealthyChecks(it.store.reader)).has(id)
  return { ...it, root, create, status, isHealthy }
}

/** An endpoint whose status code the test changes. */
async function endpoint() {
  const state = { code: 200, requests: 0 }
  const server = createServer((_request, response) => {
    state.requests++
    response.writeHead(state.code).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const settings: HealthCheckConfig = {
    Type: 'HTTP',
    IPAddress: '127.0.0.1',
    Port: (server.address() as AddressInfo).port,
    RequestInterval: 10,
    FailureThreshold: 2,
  }
  return { state, settings }
}

describe('A health check', () => {
  test('has all defaults, and is created once for a caller reference', async () => {
    const { root, create } = await opened()
    const settings = { Type: 'HTTPS', FullyQualifiedDomainName: 'app.test' } as const
    const check = await create(settings, 'once')

    expect(check).toMatchObject({ HealthCheckVersion: 1, CallerReference: 'once' })
    expect(check.HealthCheckConfig).toEqual({
      ...{ Type: 'HTTPS', FullyQualifiedDomainName: 'app.test', Port: 443, RequestInterval: 30, FailureThreshold: 3 },
      ...{ MeasureLatency: false, Inverted: false, Disabled: false, EnableSNI: true },
    })
    expect((await create(settings, 'once')).Id).toBe(check.Id)
    await expect(create({ ...settings, Port: 444 }, 'once')).rejects.toMatchObject({ name: 'HealthCheckAlreadyExists' })
    const HealthCheckId = check.Id!
    expect((await root.send(new GetHealthCheckCommand({ HealthCheckId }))).HealthCheck).toEqual(check)
    await root.send(new DeleteHealthCheckCommand({ HealthCheckId }))
    await expect(root.send(new GetHealthCheckCommand({ HealthCheckId }))).rejects.toMatchObject({
      name: 'NoSuchHealthCheck',
    })
  })

  test('changes under its version', async () => {
    const { root, create } = await opened()
    const { Id: HealthCheckId } = await create({
      ...{ Type: 'HTTP_STR_MATCH', SearchString: 'well', ResourcePath: '/up', FullyQualifiedDomainName: 'app.test' },
    })
    const update = (more: object) => root.send(new UpdateHealthCheckCommand({ HealthCheckId, ...more }))

    const { HealthCheck } = await update({ HealthCheckVersion: 1, Port: 8080, ResetElements: ['ResourcePath'] })
    expect(HealthCheck).toMatchObject({
      HealthCheckVersion: 2,
      HealthCheckConfig: { Port: 8080, SearchString: 'well' },
    })
    expect(HealthCheck!.HealthCheckConfig!.ResourcePath).toBeUndefined()
    await expect(update({ HealthCheckVersion: 1, Port: 80 })).rejects.toMatchObject({
      name: 'HealthCheckVersionMismatch',
    })
    await expect(update({ IPAddress: '127.0.0.1' })).rejects.toMatchObject({ name: 'InvalidInput' })
    await expect(update({ HealthThreshold: 1 })).rejects.toMatchObject({ name: 'InvalidInput' })
  })

  test.each<[string, HealthCheckConfig, string]>([
    ['without an endpoint', { Type: 'HTTP' }, 'InvalidInput'],
    ['of a private address', { Type: 'HTTP', IPAddress: '10.0.0.1' }, 'InvalidInput'],
    ['of the metadata address', { Type: 'HTTP', IPAddress: '169.254.169.254' }, 'InvalidInput'],
    ['of a mapped address', { Type: 'HTTP', IPAddress: '::ffff:10.0.0.1' }, 'InvalidInput'],
    ['of a name that is an address', { Type: 'HTTP', FullyQualifiedDomainName: '127.0.0.1' }, 'InvalidInput'],
    ['of a name that is none', { Type: 'HTTP', FullyQualifiedDomainName: 'a b' }, 'InvalidInput'],
    ['by TCP without a port', { Type: 'TCP', IPAddress: '127.0.0.1' }, 'InvalidInput'],
    ['by TCP with a path', { Type: 'TCP', IPAddress: '127.0.0.1', Port: 1, ResourcePath: '/' }, 'InvalidInput'],
    ['with a path of two lines', { Type: 'HTTP', IPAddress: '127.0.0.1', ResourcePath: '/\r\nx: y' }, 'InvalidInput'],
    ['that searches nothing', { Type: 'HTTP_STR_MATCH', IPAddress: '127.0.0.1' }, 'InvalidInput'],
    ['with a text to search', { Type: 'HTTP', IPAddress: '127.0.0.1', SearchString: 'x' }, 'InvalidInput'],
    ['every 20 seconds', { Type: 'HTTP', IPAddress: '127.0.0.1', RequestInterval: 20 }, 'InvalidInput'],
    ['with SNI without TLS', { Type: 'HTTP', IPAddress: '127.0.0.1', EnableSNI: true }, 'InvalidInput'],
    ['calculated without a threshold', { Type: 'CALCULATED', ChildHealthChecks: [] }, 'InvalidInput'],
    [
      'calculated with a stranger',
      { Type: 'CALCULATED', HealthThreshold: 1, ChildHealthChecks: ['0'] },
      'InvalidInput',
    ],
    ['of an alarm', { Type: 'CLOUDWATCH_METRIC' }, 'NotImplemented'],
    ['of a routing control', { Type: 'RECOVERY_CONTROL', RoutingControlArn: 'a' }, 'NotImplemented'],
    ['that measures latency', { Type: 'HTTP', IPAddress: '127.0.0.1', MeasureLatency: true }, 'NotImplemented'],
  ])('%s is refused', async (_what, config, name) => {
    const { root, create } = await opened()
    await expect(create(config)).rejects.toMatchObject({ name })
    expect((await root.send(new GetHealthCheckCountCommand({}))).HealthCheckCount).toBe(0)
  })

  test('is one of at most so many as the quota says, listed in pages, and seen by its account alone', async () => {
    const { root, create, account, client } = await opened({ 'route53/HealthChecksPerAccount': 3 })
    for (let n = 0; n < 3; n++) await create({ Type: 'HTTP', FullyQualifiedDomainName: 'app.test' })
    await expect(create({ Type: 'HTTP', FullyQualifiedDomainName: 'app.test' })).rejects.toMatchObject({
      name: 'TooManyHealthChecks',
    })
    const first = await root.send(new ListHealthChecksCommand({ MaxItems: 2 }))
    const second = await root.send(new ListHealthChecksCommand({ MaxItems: 2, Marker: first.NextMarker }))
    const ids = [...first.HealthChecks!, ...second.HealthChecks!].map(({ Id }) => Id)
    expect([first.IsTruncated, second.IsTruncated, new Set(ids).size]).toEqual([true, false, 3])
    const other = client(Route53Client, await account())
    await expect(other.send(new GetHealthCheckCommand({ HealthCheckId: ids[0] }))).rejects.toMatchObject({
      name: 'NoSuchHealthCheck',
    })
    expect((await other.send(new ListHealthChecksCommand({}))).HealthChecks).toEqual([])
  })

  test('has tags, by which permissions are decided', async () => {
    const { root, create, client, user } = await opened()
    const { Id: ResourceId } = await create({ Type: 'HTTP', FullyQualifiedDomainName: 'app.test' })
    const ResourceType = 'healthcheck'
    const AddTags = [{ Key: 'team', Value: 'a' }]
    await root.send(new ChangeTagsForResourceCommand({ ResourceId, ResourceType, AddTags }))
    const statement = (team: string) =>
      allowing({
        Action: 'route53:*',
        Resource: `arn:aws:route53:::healthcheck/${ResourceId}`,
        Condition: { StringEquals: { 'aws:ResourceTag/team': team } },
      })
    const ann = client(Route53Client, await user('ann', statement('a')))
    const ben = client(Route53Client, await user('ben', statement('b')))

    const { ResourceTagSet } = await ann.send(new ListTagsForResourceCommand({ ResourceId, ResourceType }))
    expect(ResourceTagSet).toEqual({ ResourceId, ResourceType, Tags: AddTags })
    for (const HealthCheckId of [ResourceId, '00000000-0000-0000-0000-000000000000'])
      await expect(ben.send(new GetHealthCheckStatusCommand({ HealthCheckId }))).rejects.toThrow(/not authorized/)
  })

  test('shows where its probes come from as the operator says', async () => {
    const { root } = await opened()
    expect((await root.send(new GetCheckerIpRangesCommand({}))).CheckerIpRanges).toEqual([])
    vi.stubEnv('MERLON_HEALTH_CHECK_SOURCES', '192.0.2.7/32, 2001:db8::/64')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { CheckerIpRanges } = await root.send(new GetCheckerIpRangesCommand({}))
    expect(CheckerIpRanges).toEqual(['192.0.2.7/32', '2001:db8::/64'])
  })
})

describe('An endpoint', () => {
  test('is unhealthy after so many failures in a row as the threshold says, and healthy after as many answers', async () => {
    const { root, create, pass, status, isHealthy, clock } = await opened()
    const { state, settings } = await endpoint()
    const { Id: id = '' } = await create(settings)
    expect([await isHealthy(id), await status(id)]).toEqual([true, undefined])

    await pass(0)
    expect(await status(id)).toEqual({ Status: 'Success: HTTP Status Code 200, OK.', CheckedTime: expect.any(Date) })
    const health: boolean[] = []
    for (const code of [503, 200, 503, 503, 200, 503, 200, 200]) {
      state.code = code
      await pass(10_000)
      health.push(await isHealthy(id))
    }
    expect(health).toEqual([true, true, true, false, false, false, false, true])
    expect(state.requests).toBe(9)
    const last = await root.send(new GetHealthCheckLastFailureReasonCommand({ HealthCheckId: id }))
    const { Status, CheckedTime } = last.HealthCheckObservations![0]!.StatusReport!
    expect(Status).toBe('Failure: HTTP Status Code 503, Service Unavailable.')
    expect(clock.now() - CheckedTime!.getTime()).toBeGreaterThanOrEqual(20_000)
  })

  test('is probed every 30 seconds by default, and not at all once its check is disabled or deleted', async () => {
    const { root, create, pass } = await opened()
    const { state, settings } = await endpoint()
    const { RequestInterval: _, ...rest } = settings
    const { Id: HealthCheckId } = await create(rest)
    for (let turn = 0; turn < 7; turn++) await pass(turn === 0 ? 0 : 10_000)
    expect(state.requests).toBe(3)

    await root.send(new UpdateHealthCheckCommand({ HealthCheckId, Disabled: true }))
    for (let turn = 0; turn < 6; turn++) await pass(10_000)
    expect(state.requests).toBe(3)
    await root.send(new UpdateHealthCheckCommand({ HealthCheckId, Disabled: false }))
    await pass(10_000)
    expect(state.requests).toBe(4)
    await root.send(new DeleteHealthCheckCommand({ HealthCheckId }))
    for (let turn = 0; turn < 6; turn++) await pass(10_000)
    expect(state.requests).toBe(4)
  })

  test('counts as healthy while disabled, the other way round while inverted, and for calculated checks', async () => {
    const it = await opened()
    const { root, create, pass, isHealthy, status } = it
    const { state, settings } = await endpoint()
    state.code = 500
    const bad = (await create({ ...settings, FailureThreshold: 1 })).Id!
    const inverted = (await create({ ...settings, FailureThreshold: 1, Inverted: true })).Id!
    const calculated = async (HealthThreshold: number, more = {}) =>
      (await create({ Type: 'CALCULATED', ChildHealthChecks: [bad, inverted], HealthThreshold, ...more })).Id!
    const [none, one, both, opposite] = [
      await calculated(0),
      await calculated(1),
      await calculated(2),
      await calculated(2, { Inverted: true }),
    ]
    await pass(0)

    const lines = (await it.metrics()).filter((line) => line.startsWith('merlon_health_checks'))
    expect(lines).toEqual(['merlon_health_checks{state="healthy"} 4', 'merlon_health_checks{state="unhealthy"} 2'])
    const health = () => Promise.all([bad, inverted, none, one, both, opposite].map(isHealthy))
    expect(await health()).toEqual([false, true, true, true, false, true])
    await root.send(new UpdateHealthCheckCommand({ HealthCheckId: bad, Disabled: true }))
    await root.send(new UpdateHealthCheckCommand({ HealthCheckId: inverted, Disabled: true }))
    expect(await health()).toEqual([true, false, true, true, false, true])
    expect(await status(one)).toBeUndefined()
    await expect(create({ Type: 'CALCULATED', ChildHealthChecks: [one], HealthThreshold: 1 })).rejects.toThrow(
      /calculated one itself/,
    )
  })
})

test('The key of a health check is the one that is on customers’ disks', () => {
  const Id = '01234567-89ab-cdef-0123-456789abcdef'
  expect(healthCheck.key({ account: ACCOUNT, region: 'us-east-1' }, { Id })).toBe(
    `route53/health-check/${ACCOUNT}/${Id}`,
  )
})
