/** The addresses that rate-based rules block now, as gateways report them. */
import { isIPv4 } from 'node:net'
import type { Rule } from '@aws-sdk/client-wafv2'
import type { Json } from '../../engines/waf/json.ts'
import type { WebAclRecord } from '../../engines/waf/traffic-recorder.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { nonexistent, wafv2 } from './faults.ts'
import { ruleGroup, scopeName, type WebAclRow, webAcl } from './resources.ts'

/** As AWS WAF: the operation returns so many. */
const KEYS_MAX = 10_000

type RateKeys = Extract<WebAclRecord, { readonly kind: 'waf-rate-keys' }>

interface RateKeysRow {
  /** Epoch milliseconds. */
  readonly until: number
  readonly keys: readonly string[]
}

const keysOf = (arn: string, groupRule: string | undefined, rule: string): Key =>
  under('wafv2', 'rate-keys', arn, groupRule ?? '', rule)

/** Each gateway reports all its keys of a rule: they replace those that it reported before. */
export function keepRateKeys(unit: Unit, arn: string, { groupRule, rule, until, keys }: RateKeys, node: string): void {
  const at = keysOf(arn, groupRule, rule) + key(node)
  if (keys.length === 0) unit.delete(at)
  else unit.put(at, { until, keys: keys.slice(0, KEYS_MAX) } satisfies RateKeysRow)
}

type Input = {
  readonly Scope: 'REGIONAL' | 'CLOUDFRONT'
  readonly WebACLName: string
  readonly WebACLId: string
}

const aclOfRule: Target<Input, ExistingResource<unknown, WebAclRow>> = {
  find: (call, { Scope, WebACLName, WebACLId }) =>
    webAcl.find(
      call,
      webAcl.form.printPattern(call, { Scope: scopeName(call, Scope), Name: WebACLName, Id: WebACLId }),
    ),
}

/** The rule of the web ACL, or of the rule group that a rule of the web ACL refers to. */
async function ruleNamed(
  call: Call,
  acl: WebAclRow,
  groupRuleName: string | undefined,
  name: string,
): Promise<Json<Rule> | undefined> {
  if (groupRuleName === undefined) return acl.rules.find(({ Name }) => Name === name)
  const reference = acl.rules.find(({ Name }) => Name === groupRuleName)?.Statement?.RuleGroupReferenceStatement
  const parsed = ruleGroup.form.parse(reference?.ARN ?? '')
  const place = parsed && { account: parsed.account ?? call.account, region: parsed.region ?? call.region }
  const group = place && (await ruleGroup.get(call.unit, place, parsed.variables))
  return group?.rules.find(({ Name }) => Name === name)
}

export const getRateBasedStatementManagedKeys = wafv2
  .operation('GetRateBasedStatementManagedKeys')
  .on(aclOfRule)
  .run(async (call, { RuleGroupRuleName, RuleName }, { row, arn }) => {
    const rule = await ruleNamed(call, row, RuleGroupRuleName, RuleName)
    const rate = rule?.Statement?.RateBasedStatement
    if (!rate) throw nonexistent()
    if (rate.AggregateKeyType !== 'IP' && rate.AggregateKeyType !== 'FORWARDED_IP')
      throw wafv2.fail(
        'WAFUnsupportedAggregateKeyTypeException',
        'The rule that you have named does not aggregate solely on the IP address or solely on the forwarded IP address.',
      )
    const rows = await call.unit.range<RateKeysRow>(keysOf(arn, RuleGroupRuleName, RuleName))
    const live = rows.flatMap(({ document: { until, keys } }) => (until > call.now ? keys : []))
    const addresses = [...new Set(live)].slice(0, KEYS_MAX)
    const [four, six] = [addresses.filter((each) => isIPv4(each)), addresses.filter((each) => each.includes(':'))]
    return {
      ManagedKeysIPV4: { IPAddressVersion: 'IPV4' as const, Addresses: four.map((each) => `${each}/32`) },
      ManagedKeysIPV6: { IPAddressVersion: 'IPV6' as const, Addresses: six.map((each) => `${each}/128`) },
    }
  })
