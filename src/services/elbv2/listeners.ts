/** Listeners: a port of a load balancer, its protocol and what happens with requests that no rule matches. */
import type { Call } from '../../kernel/gate/call.ts'
import { certificates } from '../../kernel/ports/certificates.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { checkedActions } from './actions.ts'
import { changedAttributes, listenerAttributes, shownAttributes } from './attributes.ts'
import { certificatesChanged, ofOwnAccount, PAGE_MAX, removeListener } from './load-balancers.ts'
import {
  badMarker,
  below,
  elb,
  invalid,
  type ListenerRow,
  listener,
  loadBalancer,
  newId,
  notImplemented,
  type RuleRow,
  rule,
} from './resources.ts'
import { SSL_POLICY_OF_API, sslPolicyNamed } from './ssl-policies.ts'

const loadBalancerIdOf = (row: ListenerRow) => ({
  LoadBalancerName: row.loadBalancerName,
  LoadBalancerId: row.loadBalancerId,
})

export const shownListener = (call: Call, row: ListenerRow) => ({
  ListenerArn: listener.arnOf(call, row),
  LoadBalancerArn: loadBalancer.arn(call, loadBalancerIdOf(row)),
  Port: row.port,
  Protocol: row.protocol,
  DefaultActions: [...row.actions],
  ...(row.protocol === 'HTTPS' && {
    Certificates: row.certificates.slice(0, 1).map((CertificateArn) => ({ CertificateArn })),
    SslPolicy: row.sslPolicy,
    MutualAuthentication: { Mode: 'off' },
  }),
})

type Secure = Pick<ListenerRow, 'protocol' | 'certificates' | 'sslPolicy'>

interface SecureInput {
  readonly Protocol?: string | undefined
  readonly SslPolicy?: string | undefined
  readonly Certificates?: readonly { readonly CertificateArn?: string | undefined }[] | undefined
  readonly AlpnPolicy?: readonly string[] | undefined
  readonly MutualAuthentication?: { readonly Mode?: string | undefined } | undefined
}

export async function checkCertificate(call: Call, arn: string): Promise<void> {
  if (!(await call.use(certificates).read(call.unit, arn)) || arn.split(':')[4] !== call.account)
    throw elb.fail('CertificateNotFoundException', `Certificate '${arn}' not found`)
}

/** Protocol, certificates and policy of a listener after the request. */
async function secureOf(call: Call, input: SecureInput, before?: ListenerRow): Promise<Secure> {
  const protocol = input.Protocol ?? before?.protocol
  if (protocol === undefined) throw invalid('A listener protocol must be specified')
  if (protocol !== 'HTTP' && protocol !== 'HTTPS')
    throw elb.fail(
      'UnsupportedProtocolException',
      `Listener protocol '${protocol}' is not supported for load balancers with type 'application'`,
    )
  if (![undefined, 'off'].includes(input.MutualAuthentication?.Mode))
    throw notImplemented('client certificates of listeners')
  if (input.AlpnPolicy?.length) throw invalid('ALPN policies are supported for TLS listeners only')
  if (protocol === 'HTTP') {
    if (input.Certificates?.length) throw invalid("Certificates cannot be specified for listeners with protocol 'HTTP'")
    if (input.SslPolicy) throw invalid("An SSL policy cannot be specified for listeners with protocol 'HTTP'")
    return { protocol, certificates: [] }
  }
  const given = (input.Certificates ?? []).flatMap(({ CertificateArn }) => CertificateArn ?? [])
  if (given.length > 1) throw elb.fail('TooManyCertificatesException', 'Specify exactly one certificate')
  const kept = before?.certificates ?? []
  const [first = kept[0]] = given
  if (first === undefined) throw invalid('A certificate must be specified for HTTPS listeners')
  await checkCertificate(call, first)
  const sslPolicy = sslPolicyNamed(input.SslPolicy ?? before?.sslPolicy ?? SSL_POLICY_OF_API).name
  return { protocol, certificates: [first, ...kept.slice(1).filter((each) => each !== first)], sslPolicy }
}

export const createListener = elb
  .operation('CreateListener')
  .on({
    // On the load balancer: the ARN of the listener follows from it.
    ...loadBalancer.named('LoadBalancerArn'),
    find: async (call, input) => {
      const resolved = await loadBalancer.find(call, input.LoadBalancerArn ?? '', input)
      const made = listener.created(
        () => ({
          LoadBalancerName: resolved.row?.id.LoadBalancerName ?? 'x',
          LoadBalancerId: resolved.row?.id.LoadBalancerId ?? newId(),
          ListenerId: newId(),
        }),
        { generated: true, authorizedOn: '*' },
      )
      const { row, tagging } = await made.find(call, input)
      return {
        ...resolved,
        row: resolved.row && { owner: resolved.row, made: row! },
        tagging,
      }
    },
  })
  .run(async (call, input, { owner, made }) => {
    const { row: parent } = owner
    const { Port: port } = input
    if (port === undefined) throw invalid('A listener port must be specified')
    const secure = await secureOf(call, input)
    const actions = await checkedActions(call, input.DefaultActions, parent.vpcId)
    const siblings = (await call.unit.range<ListenerRow>(below('listener', call, parent.name, parent.id))).map(
      ({ document }) => document,
    )
    if (siblings.some((each) => each.port === port))
      throw elb.fail(
        'DuplicateListenerException',
        `A listener already exists on this port for this load balancer '${owner.arn}'`,
      )
    const max = call.quotas['elasticloadbalancing/ListenersPerLoadBalancer']!
    if (siblings.length >= max)
      throw elb.fail('TooManyListenersException', `The maximum number of listeners, ${max}, has been reached`)
    const place = {
      account: call.account,
      region: call.region,
      loadBalancerName: parent.name,
      loadBalancerId: parent.id,
    }
    const row = made.create({
      ...place,
      ...secure,
      id: made.id.ListenerId,
      createdAt: call.now,
      port,
      actions,
      defaultRuleId: newId(),
      attributes: {},
      tags: made.tags,
    })
    rule.put(call.unit, call, { ...place, listenerId: row.id, id: row.defaultRuleId, conditions: [], actions })
    await certificatesChanged(call, row, [], row.certificates)
    return { Listeners: [shownListener(call, row)] }
  })

export const describeListeners = elb
  .operation('DescribeListeners')
  .on(anything)
  .run(async (call, input) => {
    const { ListenerArns: arns = [], LoadBalancerArn, Marker, PageSize } = input
    if (arns.length > 0 === (LoadBalancerArn !== undefined))
      throw invalid('You must specify either listener ARNs or a load balancer ARN')
    const rows: ListenerRow[] = []
    if (LoadBalancerArn !== undefined) {
      const { name, id } = await ofOwnAccount(call, LoadBalancerArn)
      for (const { document } of await call.unit.range<ListenerRow>(below('listener', call, name, id)))
        rows.push(document)
    } else for (const arn of new Set(arns)) rows.push(await listenerOf(call, arn))
    const { items, next } = await pageOf(call, rows, ({ id }) => id, {
      token: Marker,
      size: PageSize ?? PAGE_MAX,
      query: { arns, LoadBalancerArn },
      bad: badMarker,
    })
    return { Listeners: items.map((row) => shownListener(call, row)), ...(next !== undefined && { NextMarker: next }) }
  })

/** For operations that are authorized on `*`. */
export async function listenerOf(call: Call, arn: string): Promise<ListenerRow> {
  const { row, missing } = await listener.find(call, arn, {}, { ownAccount: true })
  if (!row) throw missing!()
  return row.row
}

export const modifyListener = elb
  .operation('ModifyListener')
  .on(listener.named('ListenerArn'))
  .run(async (call, input, { row: before, save }) => {
    const parent = await loadBalancer.require(call, loadBalancerIdOf(before))
    const secure = await secureOf(call, input, before)
    const port = input.Port ?? before.port
    const siblings = await call.unit.range<ListenerRow>(below('listener', call, parent.name, parent.id))
    if (siblings.some(({ document }) => document.id !== before.id && document.port === port))
      throw elb.fail('DuplicateListenerException', `A listener already exists on port ${port} for this load balancer`)
    const actions = input.DefaultActions?.length
      ? await checkedActions(call, input.DefaultActions, parent.vpcId)
      : before.actions
    const { sslPolicy: _, ...kept } = before
    const row = save({ ...kept, ...secure, port, actions })
    const { loadBalancerName, loadBalancerId, account, region } = row
    rule.put(call.unit, call, {
      ...(await defaultRuleOf(call, row)),
      ...{ account, region, loadBalancerName, loadBalancerId },
      listenerId: row.id,
      id: row.defaultRuleId,
      conditions: [],
      actions,
    })
    await certificatesChanged(call, row, before.certificates, row.certificates)
    return { Listeners: [shownListener(call, row)] }
  })

const defaultRuleOf = async (call: Call, row: ListenerRow): Promise<Partial<RuleRow>> =>
  (await rule.get(call.unit, call, {
    ...loadBalancerIdOf(row),
    ListenerId: row.id,
    ListenerRuleId: row.defaultRuleId,
  })) ?? {}

export const deleteListener = elb
  .operation('DeleteListener')
  .on(listener.named('ListenerArn'))
  .run(async (call, _input, { row }) => {
    await removeListener(call, row)
    return {}
  })

export const describeListenerAttributes = elb
  .operation('DescribeListenerAttributes')
  .on(anything)
  .run(async (call, input) => {
    const row = await listenerOf(call, input.ListenerArn ?? '')
    return { Attributes: shownAttributes(listenerAttributes(row.protocol), row.attributes) }
  })

export const modifyListenerAttributes = elb
  .operation('ModifyListenerAttributes')
  .on(listener.named('ListenerArn'))
  .run((_call, input, { row, save }) => {
    const table = listenerAttributes(row.protocol)
    const attributes = changedAttributes(table, row.attributes, input.Attributes)
    save({ ...row, attributes })
    return { Attributes: shownAttributes(table, attributes) }
  })
