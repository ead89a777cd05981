/** How threat protection of a pool is configured, and the addresses that it blocks or leaves alone. */
import { BlockList, isIP, isIPv6 } from 'node:net'
import type { RiskConfigurationType } from '@aws-sdk/client-cognito-identity-provider'
import type { Reader } from '../../kernel/state/reader.ts'
import { isProtected } from './activity-rows.ts'
import {
  at,
  cognito,
  invalidParameter,
  notAuthorized,
  type PoolClient,
  type PoolRow,
  poolNamed,
  requireClient,
} from './resources.ts'

/** Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RiskExceptionConfigurationType.html */
const RANGES_MAX = 200
const ALL = 'ALL'

export type RiskSettings = Omit<RiskConfigurationType, 'UserPoolId' | 'ClientId' | 'LastModifiedDate'>

export interface RiskRow {
  readonly client: string
  readonly settings: RiskSettings
  readonly modifiedAt: number
}

const shown = (pool: PoolRow, row: RiskRow | undefined, client: string | undefined): RiskConfigurationType => ({
  UserPoolId: pool.id,
  ...(client !== undefined && { ClientId: client }),
  ...row?.settings,
  ...(row && { LastModifiedDate: new Date(row.modifiedAt) }),
})

function checkRange(range: string): void {
  const [address = '', bits] = range.split('/')
  const family = isIP(address)
  const max = family === 6 ? 128 : 32
  if (family === 0 || bits === undefined || !/^\d{1,3}$/.test(bits) || Number(bits) > max)
    throw invalidParameter(`Invalid IP range: ${range.slice(0, 64)}. Ranges are in CIDR notation.`)
}

export const setRiskConfiguration = cognito
  .operation('SetRiskConfiguration')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    if (!isProtected(pool))
      throw cognito.fail('UserPoolAddOnNotEnabledException', 'User pool add-ons are not enabled for the user pool.')
    if (input.ClientId !== undefined) await requireClient(call.unit, pool, input.ClientId)
    const { BlockedIPRangeList: blocked = [], SkippedIPRangeList: skipped = [] } =
      input.RiskExceptionConfiguration ?? {}
    if (blocked.length > RANGES_MAX || skipped.length > RANGES_MAX)
      throw invalidParameter(`At most ${RANGES_MAX} IP ranges.`)
    for (const range of [...blocked, ...skipped]) checkRange(range)
    const client = input.ClientId ?? ALL
    const row: RiskRow = {
      client,
      settings: {
        CompromisedCredentialsRiskConfiguration: input.CompromisedCredentialsRiskConfiguration,
        AccountTakeoverRiskConfiguration: input.AccountTakeoverRiskConfiguration,
        RiskExceptionConfiguration: input.RiskExceptionConfiguration,
      },
      modifiedAt: call.now,
    }
    call.unit.put(at.part(pool.id, 'risk', client), row)
    return { RiskConfiguration: shown(pool, row, input.ClientId) }
  })

export const describeRiskConfiguration = cognito
  .operation('DescribeRiskConfiguration')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    if (input.ClientId !== undefined) await requireClient(call.unit, pool, input.ClientId)
    const row = await call.unit.get<RiskRow>(at.part(pool.id, 'risk', input.ClientId ?? ALL))
    return { RiskConfiguration: shown(pool, row, input.ClientId) }
  })

/** What a pool, or one of its clients, does about risks. */
export async function riskSettings(reader: Reader, { pool, client }: PoolClient): Promise<RiskSettings | undefined> {
  const row =
    (await reader.get<RiskRow>(at.part(pool.id, 'risk', client.id))) ??
    (await reader.get<RiskRow>(at.part(pool.id, 'risk', ALL)))
  return row?.settings
}

function isWithin(ranges: readonly string[] | undefined, address: string | undefined): boolean {
  const plain = (address ?? '').replace(/^::ffff:/, '')
  if (!ranges || ranges.length === 0 || isIP(plain) === 0) return false
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits] = range.split('/')
    list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4')
  }
  return list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
}

/** Whether no risk is evaluated for the address. */
export const isSkipped = (settings: RiskSettings | undefined, address: string | undefined): boolean =>
  isWithin(settings?.RiskExceptionConfiguration?.SkippedIPRangeList, address)

/** Throws for an address that the pool blocks, in whatever mode threat protection is: AWS blocks in audit mode, too. */
export async function assertNotBlocked(reader: Reader, of: PoolClient, address: string | undefined): Promise<void> {
  if (!isProtected(of.pool)) return
  const settings = await riskSettings(reader, of)
  if (isWithin(settings?.RiskExceptionConfiguration?.BlockedIPRangeList, address))
    throw notAuthorized('Unable to login because of security reasons.')
}
