/** What gateways send each second: counts of rate-based rules for the other gateways, and the health of targets. */

import type { ExchangeHandler } from '../../kernel/planes/exchange.ts'
import type { GatewayAnswer, GatewayMessage } from '../../kernel/planes/gateway-content.ts'
import { type PlaneScope, scopeName, touchesAccount } from '../../kernel/planes/plane-scope.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import { key, under } from '../../store/store.ts'
import { type HealthReport, healthKey, type ReportedHealth } from './target-health.ts'

interface RatesRow {
  readonly node: string
  /** Counts are of keys that nothing ties to an account: they go to gateways of the same scope alone. */
  readonly scope: string
  readonly at: number
  readonly counts: GatewayMessage['rates']
}

const RATES = under('elasticloadbalancing', 'gateway-rates')
/** A gateway that is silent for longer has stopped: its requests count until their windows are over, at the others. */
const VALID_MS = 5_000
const COUNTS_MAX = 1_000
const NODES_MAX = 64
const STATES = ['initial', 'healthy', 'unhealthy']

export const gatewayMessages: ExchangeHandler = async (unit, { node, scope, now, message }) => {
  const counts = countsIn(message['rates'])
  const at = key('elasticloadbalancing', 'gateway-rates', node)
  const rows = (await unit.range<RatesRow>(RATES, { limit: NODES_MAX })).map(({ document }) => document)
  const before = rows.find((row) => row.node === node)
  // Quiet gateways write nothing.
  if (counts.length > 0) unit.put(at, { node, scope: scopeName(scope), at: now, counts } satisfies RatesRow)
  else if (before) unit.delete(at)
  if (message['health'] !== undefined) unit.put(healthKey(node), healthIn(message['health'], now, scope))
  const others = rows.filter((row) => row.node !== node && row.scope === scopeName(scope) && now - row.at < VALID_MS)
  return { rates: Object.fromEntries(others.map((row) => [row.node, row.counts])) } satisfies GatewayAnswer
}

/** A gateway is enrolled, and still no document is written that it could make large or strange. */
function countsIn(value: unknown): RatesRow['counts'] {
  if (!Array.isArray(value)) return []
  return value
    .slice(0, COUNTS_MAX)
    .filter(
      (each): each is GatewayMessage['rates'][number] =>
        Array.isArray(each) &&
        typeof each[0] === 'string' &&
        each[0].length <= 22 &&
        Number.isSafeInteger(each[1]) &&
        Number.isSafeInteger(each[2]),
    )
    .map(([digest, windowSeconds, count]) => [digest, windowSeconds, count] as const)
}

function healthIn(value: unknown, now: number, scope: PlaneScope | undefined): HealthReport {
  const groups: Record<string, Record<string, ReportedHealth>> = {}
  for (const [group, targets] of Object.entries((value ?? {}) as Record<string, Record<string, ReportedHealth>>)) {
    if (!touchesAccount(scope, parseArn(group)?.account ?? '')) continue
    const known = Object.entries(targets ?? {}).filter(([, health]) => STATES.includes(health?.state))
    groups[group] = Object.fromEntries(
      known.map(([target, { state, reason, description }]) => [
        target,
        {
          state,
          ...(typeof reason === 'string' && { reason }),
          ...(typeof description === 'string' && { description: description.slice(0, 200) }),
        } as ReportedHealth,
      ]),
    )
  }
  return { at: now, groups }
}
