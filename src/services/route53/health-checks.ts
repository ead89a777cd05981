/** Health checks: created once for a caller reference, changed under a version, shown with what was found last. */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { HealthCheck, HealthCheckConfig, UpdateHealthCheckRequest } from '@aws-sdk/client-route-53'
import type { Call } from '../../kernel/gate/call.ts'
import { endpointProbes } from '../../kernel/ports/endpoint-probes.ts'
import { anything } from '../../kernel/resource/target.ts'
import { type ProbeRow, probeKey, setHealth } from './health.ts'
import { isCalculated, readSettings } from './health-check-settings.ts'
import { startProbing } from './probing.ts'
import { type HealthCheckRow, healthCheck, healthCheckReferenceKey, route53 } from './resources.ts'

const PAGE_MAX = 100
/** Of the observations, which come from this installation alone. */
const REGION = 'us-east-1'

export const createHealthCheck = route53
  .operation('CreateHealthCheck')
  .on(
    healthCheck.created((_input: unknown, call: Call) => ({ Id: call.newId(() => randomUUID()) }), {
      generated: true,
      authorizedOn: '*',
    }),
  )
  .run(async (call, input, { id, create }) => {
    const config = readSettings(input.HealthCheckConfig as HealthCheckConfig, call.use(endpointProbes))
    await assertChildren(call, config)
    const reference = healthCheckReferenceKey(call.account, input.CallerReference)
    const known = await call.unit.get<{ readonly id: string }>(reference)
    const before = known && (await healthCheck.get(call.unit, call, { Id: known.id }))
    if (before) {
      if (before.version === 1 && isDeepStrictEqual(before.config, config)) return answer(call, before)
      throw route53.fail(
        'HealthCheckAlreadyExists',
        'A health check with other settings has already been created with the specified caller reference.',
      )
    }
    const quota = call.quotas['route53/HealthChecksPerAccount']!
    if ((await healthCheck.list(call.unit, call, { limit: quota })).length >= quota)
      throw route53.fail('TooManyHealthChecks', `The account has ${quota} health checks, the most it may have.`)
    const row: HealthCheckRow = {
      id: id.Id,
      account: call.account,
      callerReference: input.CallerReference,
      createdAt: call.now,
      version: 1,
      config,
    }
    create(row)
    call.unit.put(reference, { id: row.id })
    await probe(call, row)
    return answer(call, row)
  })

const answer = (call: Call, row: HealthCheckRow) => ({
  HealthCheck: described(row),
  Location: `${call.origin}/2013-04-01/healthcheck/${row.id}`,
})

const probe = async (call: Call, { config }: HealthCheckRow): Promise<void> => {
  if (!isCalculated(config) && !config.Disabled) await startProbing(call.unit, call.account, call.now)
}

/** Of the same account, and no calculated ones: so no check depends on itself. */
async function assertChildren(call: Call, { ChildHealthChecks = [] }: HealthCheckConfig): Promise<void> {
  for (const Id of ChildHealthChecks) {
    const child = await healthCheck.get(call.unit, call, { Id })
    if (!child) throw route53.fail('InvalidInput', `Invalid request: there is no health check with the ID ${Id}.`)
    if (isCalculated(child.config))
      throw route53.fail('InvalidInput', `Invalid request: the health check ${Id} is a calculated one itself.`)
  }
}

export const getHealthCheck = route53
  .operation('GetHealthCheck')
  .on(healthCheck.named('HealthCheckId'))
  .run((_call, _input, { row }) => ({ HealthCheck: described(row) }))

export const listHealthChecks = route53
  .operation('ListHealthChecks')
  .on(healthCheck.collection())
  .run(async (_call, input, checks) => {
    const size = Math.max(1, Math.min(Math.floor(Number(input.MaxItems)) || PAGE_MAX, PAGE_MAX))
    const from = (await checks.all()).filter(({ id }) => input.Marker === undefined || id >= input.Marker)
    const next = from[size]
    return {
      HealthChecks: from.slice(0, size).map(described),
      Marker: input.Marker ?? '',
      IsTruncated: next !== undefined,
      ...(next && { NextMarker: next.id }),
      MaxItems: size,
    }
  })

export const getHealthCheckCount = route53
  .operation('GetHealthCheckCount')
  .on(healthCheck.collection())
  .run(async (_call, _input, checks) => ({ HealthCheckCount: (await checks.all()).length }))

export const updateHealthCheck = route53
  .operation('UpdateHealthCheck')
  .on(healthCheck.named('HealthCheckId'))
  .run(async (call, input, { row, save }) => {
    if (input.HealthCheckVersion !== undefined && Number(input.HealthCheckVersion) !== row.version)
      throw route53.fail(
        'HealthCheckVersionMismatch',
        `The health check has version ${row.version}, not ${input.HealthCheckVersion}.`,
      )
    const config = readSettings(changed(row.config, input as UpdateHealthCheckRequest), call.use(endpointProbes))
    await assertChildren(call, config)
    const after = save({ ...row, config, version: row.version + 1 })
    await probe(call, after)
    return { HealthCheck: described(after) }
  })

/** Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html */
function changed(
  before: HealthCheckConfig,
  { ResetElements = [], ...input }: UpdateHealthCheckRequest,
): HealthCheckConfig {
  if (input.IPAddress !== undefined && before.IPAddress === undefined && !isCalculated(before))
    throw route53.fail('InvalidInput', 'Invalid request: a health check of a domain name gets no IPAddress.')
  const { HealthCheckId: _, HealthCheckVersion: __, ...members } = input
  const given = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
  const kept = Object.fromEntries(
    Object.entries(before).filter(([member]) => !(ResetElements as string[]).includes(member)),
  )
  return { ...kept, ...given } as HealthCheckConfig
}

/** AWS does not prevent it for checks that record sets name: such record sets count as healthy. */
export const deleteHealthCheck = route53
  .operation('DeleteHealthCheck')
  .on(healthCheck.named('HealthCheckId'))
  .run((call, _input, { row, remove }) => {
    remove()
    call.unit.delete(healthCheckReferenceKey(row.account, row.callerReference))
    call.unit.delete(probeKey(row.account, row.id))
    setHealth(call.unit, row.account, row.id, true)
    return {}
  })

export const getHealthCheckStatus = route53
  .operation('GetHealthCheckStatus')
  .on(healthCheck.named('HealthCheckId'))
  .run(async (call, _input, { row }) => ({ HealthCheckObservations: observations(await lastProbe(call, row)) }))

export const getHealthCheckLastFailureReason = route53
  .operation('GetHealthCheckLastFailureReason')
  .on(healthCheck.named('HealthCheckId'))
  .run(async (call, _input, { row }) => ({
    HealthCheckObservations: observations((await lastProbe(call, row))?.failure),
  }))

/** Calculated checks have none, as at AWS. */
const lastProbe = (call: Call, { account, id }: HealthCheckRow): Promise<ProbeRow | undefined> =>
  call.unit.get<ProbeRow>(probeKey(account, id))

const observations = (probed: Pick<ProbeRow, 'status' | 'checkedAt'> | undefined) =>
  probed
    ? [{ Region: REGION, StatusReport: { Status: probed.status, CheckedTime: new Date(probed.checkedAt) } } as const]
    : []

/** The addresses from which the nodes of this installation reach endpoints, which the operator knows. */
export const getCheckerIpRanges = route53
  .operation('GetCheckerIpRanges')
  .on(anything)
  .run(() => ({
    CheckerIpRanges: (process.env['MERLON_HEALTH_CHECK_SOURCES'] ?? '').split(',').flatMap((each) => each.trim() || []),
  }))

const described = ({ id, callerReference, config, version }: HealthCheckRow): HealthCheck => ({
  Id: id,
  CallerReference: callerReference,
  HealthCheckConfig: config,
  HealthCheckVersion: version,
})
