/** Threat protection: what a pool does about sign-ins from blocked addresses, and how it is configured. */
import { BlockList, isIP, isIPv6 } from 'node:net'
import type { RiskConfigurationType } from '@aws-sdk/client-cognito-identity-provider'
import type { Reader } from '../../kernel/state/reader.ts'
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

export interface RiskRow {
  readonly client: string
  readonly settings: Omit<RiskConfigurationType, 'UserPoolId' | 'ClientId' | 'LastModifiedDate'>
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
    const mode = pool.settings.UserPoolAddOns?.AdvancedSecurityMode ?? 'OFF'
    if (mode === 'OFF')
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

/** Throws for an address that the pool blocks, in whatever mode threat protection is: AWS blocks in audit mode, too. */
export async function assertNotBlocked(
  reader: Reader,
  { pool, client }: PoolClient,
  address: string | undefined,
): Promise<void> {
  if ((pool.settings.UserPoolAddOns?.AdvancedSecurityMode ?? 'OFF') === 'OFF') return
  const row =
    (await reader.get<RiskRow>(at.part(pool.id, 'risk', client.id))) ??
    (await reader.get<RiskRow>(at.part(pool.id, 'risk', ALL)))
  const ranges = row?.settings.RiskExceptionConfiguration?.BlockedIPRangeList ?? []
  if (ranges.length === 0) return
  const plain = (address ?? '').replace(/^::ffff:/, '')
  if (isIP(plain) === 0) return
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits] = range.split('/')
    list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4')
  }
  if (list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4'))
    throw notAuthorized('Unable to login because of security reasons.')
}
