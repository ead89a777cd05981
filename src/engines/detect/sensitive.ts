/**
 * What makes a call worse than its API: an administrator's policy, access for another account, a port that is open to the world,
 * many secrets at once. Read from the request parameters, as CloudTrail has them.
 */
import type { ApiClass, Sensitivity } from './api-classes.ts'
import { at, itemsOf, textOf } from './normalize/json.ts'
import type { ApiEvent, Json, PolicyJudge } from './types.ts'

export interface Indicator {
  /** Continues "the call": `grants AdministratorAccess`. */
  readonly text: string
  /** What the sensitivity of the call becomes. */
  readonly sensitivity: Sensitivity
}

type Read = (event: ApiEvent, judge: PolicyJudge | undefined) => Indicator | undefined

const ADMINISTRATOR = /:policy\/(?:AdministratorAccess|IAMFullAccess|PowerUserAccess)$/

const attachesAdministrator: Read = ({ request }) => {
  const policy = textOf(request.policyArn)
  return ADMINISTRATOR.test(policy)
    ? { text: `attaches ${policy.slice(policy.lastIndexOf('/') + 1)}`, sensitivity: 3 }
    : undefined
}

const writesAdministrator: Read = ({ request, account }, judge) =>
  judge?.(textOf(request.policyDocument, 131_072), account)?.administrator
    ? { text: 'grants all actions on all resources', sensitivity: 3 }
    : undefined

/** A federation token outlives the access key that it was made with, so one with every permission is a way back in. */
const federatesAdministrator: Read = ({ request, account }, judge) => {
  const arns = itemsOf(request.policyArns).map((each) => textOf(at(each, 'arn') ?? each))
  const isAdministrator =
    arns.some((arn) => ADMINISTRATOR.test(arn)) || judge?.(textOf(request.policy, 131_072), account)?.administrator
  return isAdministrator ? { text: 'gives a federated session all permissions', sensitivity: 3 } : undefined
}

const trustsOthers: Read = ({ request, account }, judge) => {
  const document = textOf(request.assumeRolePolicyDocument ?? request.policyDocument ?? request.policy, 131_072)
  const exposure = judge?.(document, account)
  if (!exposure) return undefined
  if (exposure.anonymous || exposure.anyAccount) return { text: 'trusts every AWS account', sensitivity: 3 }
  return exposure.accounts.length > 0
    ? { text: `trusts account ${exposure.accounts.slice(0, 3).join(', ')}`, sensitivity: 3 }
    : undefined
}

/** EC2 and RDS: `createVolumePermission.add.items[].userId`, `launchPermission.add.items[].group`, `valuesToAdd[]`. */
const sharesImage: Read = ({ request, account }) => {
  const added = [
    ...itemsOf(at(request.createVolumePermission, 'add')),
    ...itemsOf(at(request.launchPermission, 'add')),
  ].flatMap((each) => [textOf(at(each, 'userId')), textOf(at(each, 'group'))])
  const values = itemsOf(request.valuesToAdd).map((each) => textOf(each))
  const others = [...added, ...values].filter((name) => name !== '' && name !== account)
  return others.length > 0 ? { text: `shares with ${others.slice(0, 3).join(', ')}`, sensitivity: 3 } : undefined
}

const ACCOUNT = /^(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::|$)/

const permitsPrincipal: Read = ({ request, account }) => {
  const principal = textOf(request.principal)
  if (principal === '*') return { text: 'permits everyone', sensitivity: 3 }
  const other = ACCOUNT.exec(principal)?.[1]
  return other !== undefined && other !== account ? { text: `permits account ${other}`, sensitivity: 3 } : undefined
}

/** Ports from which a machine is taken over: remote shells and desktops, databases, container engines. */
const ADMINISTRATIVE_PORTS = [22, 23, 445, 1433, 2375, 3306, 3389, 5432, 5900, 5985, 6379, 9200, 27_017]

const opensPort: Read = ({ request }) => {
  const permissions = itemsOf(request.ipPermissions)
  const rules: readonly Json[] = permissions.length > 0 ? permissions : [request]
  for (const rule of rules) {
    const ranges = [
      textOf(at(rule, 'cidrIp')),
      ...itemsOf(at(rule, 'ipRanges')).map((each) => textOf(at(each, 'cidrIp'))),
      ...itemsOf(at(rule, 'ipv6Ranges')).map((each) => textOf(at(each, 'cidrIpv6'))),
    ]
    if (!ranges.some((range) => range.endsWith('/0'))) continue
    const protocol = String(at(rule, 'ipProtocol') ?? '')
    const [from, to] = [Number(at(rule, 'fromPort') ?? 0), Number(at(rule, 'toPort') ?? 65_535)]
    const port = protocol === '-1' ? 0 : ADMINISTRATIVE_PORTS.find((each) => from <= each && each <= to)
    if (port !== undefined)
      return { text: port === 0 ? 'opens all ports to the world' : `opens port ${port} to the world`, sensitivity: 2 }
  }
  return undefined
}

/** Instance families for computing, and sizes, that coin mining uses. */
const LARGE_INSTANCE =
  /^(?:p[2-9]|g[3-9]|inf|trn|dl|hpc|u-)[a-z0-9-]*\.|\.(?:1[0-9]|2[0-9]|3[0-9]|4[0-9]|5[0-9])xlarge$|\.metal/

const launchesLarge: Read = ({ request }) => {
  const type = textOf(request.instanceType, 40)
  const [first] = itemsOf(request.instancesSet)
  const count = Number(at(first, 'maxCount') ?? 1)
  if (!LARGE_INSTANCE.test(type) && !(count >= 20)) return undefined
  return { text: `launches ${count} ${type || 'instances'}`, sensitivity: 2 }
}

const readsUserData: Read = ({ request }) =>
  textOf(request.attribute) === 'userData' ? { text: 'reads user data', sensitivity: 2 } : undefined

const changesUserData: Read = ({ request }) =>
  request.userData !== undefined ? { text: 'replaces user data, which runs as root', sensitivity: 3 } : undefined

const shortRetention: Read = ({ request }) => {
  const rules = [
    ...itemsOf(at(request.LifecycleConfiguration, 'Rule')),
    at(request.LifecycleConfiguration, 'Rule') as Json,
    ...itemsOf(at(request.lifecycleConfiguration, 'rules')),
  ]
  return rules.some((rule) => Number(at(rule, 'Expiration', 'Days') ?? at(rule, 'expiration', 'days')) <= 1)
    ? { text: 'deletes objects after a day', sensitivity: 3 }
    : undefined
}

const addsLayer: Read = ({ request }) =>
  itemsOf(request.layers).length > 0 ? { text: 'adds a layer to a function', sensitivity: 2 } : undefined

const signsInWithoutMfa: Read = ({ additional, principal }) =>
  additional.MFAUsed === 'No' && principal.type === 'IAMUser'
    ? { text: 'signs in without MFA', sensitivity: 3 }
    : undefined

const READS: Readonly<Record<string, Read>> = {
  'signin:ConsoleLogin': signsInWithoutMfa,
  'iam:AttachUserPolicy': attachesAdministrator,
  'iam:AttachRolePolicy': (event, judge) => {
    const found = attachesAdministrator(event, judge)
    // Deployments give roles wide policies; users get them in attacks.
    return found && { ...found, sensitivity: 2 }
  },
  'iam:AttachGroupPolicy': attachesAdministrator,
  'iam:PutUserPolicy': writesAdministrator,
  'iam:PutRolePolicy': writesAdministrator,
  'iam:PutGroupPolicy': writesAdministrator,
  'iam:CreatePolicyVersion': writesAdministrator,
  'sts:GetFederationToken': federatesAdministrator,
  'iam:UpdateAssumeRolePolicy': trustsOthers,
  'iam:CreateRole': trustsOthers,
  'ec2:ModifySnapshotAttribute': sharesImage,
  'ec2:ModifyImageAttribute': sharesImage,
  'rds:ModifyDBSnapshotAttribute': sharesImage,
  'rds:ModifyDBClusterSnapshotAttribute': sharesImage,
  'lambda:AddPermission': permitsPrincipal,
  'lambda:AddLayerVersionPermission': permitsPrincipal,
  'secretsmanager:PutResourcePolicy': (event, judge) =>
    trustsOthers({ ...event, request: { policy: event.request.resourcePolicy ?? '' } }, judge),
  'kms:PutKeyPolicy': trustsOthers,
  'ecr:SetRepositoryPolicy': (event, judge) =>
    trustsOthers({ ...event, request: { policy: event.request.policyText ?? '' } }, judge),
  'ec2:AuthorizeSecurityGroupIngress': opensPort,
  'ec2:RunInstances': launchesLarge,
  'ec2:DescribeInstanceAttribute': readsUserData,
  'ec2:ModifyInstanceAttribute': changesUserData,
  's3:PutBucketLifecycle': shortRetention,
  's3:PutBucketLifecycleConfiguration': shortRetention,
  'lambda:UpdateFunctionConfiguration': addsLayer,
  'lambda:UpdateFunctionCode': () => ({ text: 'replaces the code of a function', sensitivity: 2 }),
}

/** The class of a call with what its request adds, and the indicator. */
export function assess(
  event: ApiEvent,
  api: ApiClass,
  judge: PolicyJudge | undefined,
): { readonly sensitivity: Sensitivity; readonly indicator?: string } {
  const name = `${event.service}:${event.action}`
  const found = Object.hasOwn(READS, name) ? READS[name]!(event, judge) : undefined
  if (!found) return api
  return {
    sensitivity: found.sensitivity > api.sensitivity ? found.sensitivity : api.sensitivity,
    indicator: found.text,
  }
}
