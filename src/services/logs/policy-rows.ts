/**
 * Resource policies of an account in a Region, as one row: they let AWS's services write to log groups. They hold for
 * service principals alone, as in AWS.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
 */
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { ResourceFacts } from '../../kernel/resource/facts.ts'
import { compilePinned } from '../../kernel/resource/pinned.ts'
import type { CompiledPolicy } from '../../policy/index.ts'
import { type Key, key } from '../../store/store.ts'

export interface PolicyRow {
  readonly name: string
  readonly document: string
  readonly updatedAt: number
}

export interface PoliciesRow {
  readonly policies: readonly PolicyRow[]
}

export const policiesKey = ({ account, region }: Pick<Scope, 'account' | 'region'>): Key =>
  key('logs', 'resource-policies', account, region)

/** Rows never change in place, so what was compiled is valid as long as its row. */
const compiled = new WeakMap<PoliciesRow, CompiledPolicy>()

/** For the facts of groups and streams. */
export async function policyForServices(call: Call): Promise<Partial<ResourceFacts>> {
  if (call.caller.principal.kind !== 'service') return {}
  const row = await call.unit.get<PoliciesRow>(policiesKey(call))
  if (!row || row.policies.length === 0) return {}
  const policy = compiled.get(row) ?? compilePinned(joined(row), {}, { kind: 'resource', id: 'resource policies' })
  compiled.set(row, policy)
  return { policy }
}

/** One document with the statements of all of them: an Allow or a Deny of any holds. */
function joined({ policies }: PoliciesRow): string {
  const statements = policies.flatMap(({ document }) => {
    const { Statement } = JSON.parse(document) as { readonly Statement: object | readonly object[] }
    return [Statement].flat()
  })
  return JSON.stringify({ Version: '2012-10-17', Statement: statements.map((each) => ({ ...each, Sid: undefined })) })
}
