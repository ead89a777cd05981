/** Actions of listeners and rules: forward, redirect and fixed response, checked and completed as AWS shows them. */
import type { Call } from '../../kernel/gate/call.ts'
import { type Action, elb, invalid, notImplemented, type TargetGroupRow, targetGroup } from './resources.ts'

/** Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html */
const GROUPS_MAX = 5
const STICKY_SECONDS_MAX = 604_800
const CONTENT_TYPES = ['text/plain', 'text/css', 'text/html', 'application/javascript', 'application/json']

/** The actions to store. One action is built: those that authenticate answer NotImplemented. */
export async function checkedActions(
  call: Call,
  actions: readonly Action[] | undefined,
  vpcId: string,
): Promise<readonly Action[]> {
  if (!actions?.length) throw invalid('At least one action must be specified')
  const unbuilt = actions.find(({ Type }) => !['forward', 'redirect', 'fixed-response'].includes(Type ?? ''))
  if (unbuilt) throw notImplemented(`actions of type '${unbuilt.Type}'`)
  if (actions.length > 1)
    throw elb.fail(
      'InvalidLoadBalancerActionException',
      'Only one action of type forward, redirect or fixed-response is allowed, and it must be the last one',
    )
  const [action] = actions as readonly [Action]
  switch (action.Type) {
    case 'redirect':
      return [checkedRedirect(action)]
    case 'fixed-response':
      return [checkedResponse(action)]
    default:
      return [await checkedForward(call, action, vpcId)]
  }
}

async function checkedForward(call: Call, action: Action, vpcId: string): Promise<Action> {
  const { TargetGroups = [], TargetGroupStickinessConfig } = action.ForwardConfig ?? {}
  const groups = TargetGroups.length > 0 ? TargetGroups : [{ TargetGroupArn: action.TargetGroupArn, Weight: undefined }]
  if (groups.length > GROUPS_MAX)
    throw elb.fail(
      'TooManyUniqueTargetGroupsPerLoadBalancerException',
      `A forward action can have at most ${GROUPS_MAX} target groups`,
    )
  if (action.TargetGroupArn !== undefined && !groups.some((each) => each.TargetGroupArn === action.TargetGroupArn))
    throw invalid('The target group of the action must be one of its ForwardConfig')
  const arns = groups.map(({ TargetGroupArn = '' }) => TargetGroupArn)
  if (new Set(arns).size < arns.length) throw invalid('A target group can be specified only once in an action')
  for (const [index, arn] of arns.entries()) {
    const row = await targetGroupOf(call, arn)
    if (row.vpcId !== vpcId) throw invalid(`The target group '${arn}' and the load balancer must be in the same VPC`)
    const { Weight = 1 } = groups[index]!
    if (Weight < 0 || Weight > 999) throw invalid("Weight must be between '0' and '999'")
  }
  const { Enabled = false, DurationSeconds } = TargetGroupStickinessConfig ?? {}
  if (Enabled && (DurationSeconds === undefined || DurationSeconds < 1 || DurationSeconds > STICKY_SECONDS_MAX))
    throw invalid(`Target group stickiness duration must be between 1 and ${STICKY_SECONDS_MAX} seconds`)
  return {
    Type: 'forward',
    ...(arns.length === 1 && { TargetGroupArn: arns[0] }),
    ...(action.Order !== undefined && { Order: action.Order }),
    ForwardConfig: {
      TargetGroups: groups.map(({ Weight }, index) => ({
        TargetGroupArn: arns[index],
        Weight: Weight ?? 1,
      })),
      TargetGroupStickinessConfig: { Enabled, ...(DurationSeconds !== undefined && { DurationSeconds }) },
    },
  }
}

export async function targetGroupOf(call: Call, arn: string): Promise<TargetGroupRow> {
  const { row, missing } = await targetGroup.find(call, arn, {}, { ownAccount: true })
  if (!row) throw missing!()
  return row.row
}

const ORDER = (action: Action) => (action.Order === undefined ? {} : { Order: action.Order })

function checkedRedirect(action: Action): Action {
  const {
    Protocol = '#{protocol}',
    Port = '#{port}',
    Host = '#{host}',
    Path = '/#{path}',
    Query = '#{query}',
    StatusCode,
  } = action.RedirectConfig ?? {}
  if (StatusCode !== 'HTTP_301' && StatusCode !== 'HTTP_302') throw invalid('A redirect needs a StatusCode')
  if (!/^(HTTPS?|#\{protocol\})$/.test(Protocol)) throw invalid(`The redirect protocol '${Protocol}' is not valid`)
  if (Port !== '#{port}' && !(/^\d{1,5}$/.test(Port) && Number(Port) >= 1 && Number(Port) <= 65_535))
    throw invalid(`The redirect port '${Port}' is not valid`)
  if (!Path.startsWith('/')) throw invalid("The redirect path must start with '/'")
  // What is sent in a header: no line may begin in it.
  if (/[^\x21-\x7e]/.test(Host + Path + Query)) throw invalid('A redirect consists of printable ASCII characters')
  const isSame = Protocol === '#{protocol}' && Port === '#{port}' && Host === '#{host}' && Path === '/#{path}'
  if (isSame)
    throw elb.fail(
      'InvalidLoadBalancerActionException',
      'The redirect configuration is not valid because it creates a loop.',
    )
  return { Type: 'redirect', ...ORDER(action), RedirectConfig: { Protocol, Port, Host, Path, Query, StatusCode } }
}

function checkedResponse(action: Action): Action {
  const { MessageBody, StatusCode = '', ContentType } = action.FixedResponseConfig ?? {}
  if (!/^[245]\d\d$/.test(StatusCode)) throw invalid(`The fixed response status code '${StatusCode}' is not valid`)
  if (ContentType !== undefined && !CONTENT_TYPES.includes(ContentType))
    throw invalid(`The fixed response content type '${ContentType}' is not valid`)
  return {
    Type: 'fixed-response',
    ...ORDER(action),
    FixedResponseConfig: {
      StatusCode,
      ...(MessageBody !== undefined && { MessageBody }),
      ...(ContentType !== undefined && { ContentType }),
    },
  }
}

/** The target groups that actions forward to. */
export const groupsIn = (actions: readonly Action[]): readonly string[] =>
  actions.flatMap(({ ForwardConfig }) =>
    (ForwardConfig?.TargetGroups ?? []).flatMap((each) => each.TargetGroupArn ?? []),
  )
