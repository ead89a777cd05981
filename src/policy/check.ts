/** What each kind of policy may say: the checks AWS makes when a document is saved. */
import type { PolicyKind, Principals, PrincipalType } from './document.ts'
import type { Position } from './error.ts'
import { parseOperator } from './operators.ts'
import { type Stage, TEXTS } from './problem.ts'

export type Report = (stage: Stage, message: string, at: Position) => void

interface Rules {
  readonly principal: 'required' | 'forbidden'
  readonly resource: 'required' | 'forbidden'
  /** Documents of the older version may be saved. */
  readonly oldVersion: boolean
  readonly sid: RegExp
  readonly notPrincipal: boolean
}

const ALPHANUMERIC = /^[0-9A-Za-z]*$/
const identity: Rules = {
  principal: 'forbidden',
  resource: 'required',
  oldVersion: false,
  sid: ALPHANUMERIC,
  notPrincipal: false,
}
const resource: Rules = {
  principal: 'required',
  resource: 'required',
  oldVersion: true,
  sid: /^/,
  notPrincipal: true,
}

export const RULES: Readonly<Record<PolicyKind, Rules>> = {
  identity,
  session: identity,
  boundary: identity,
  scp: identity,
  resource,
  endpoint: resource,
  rcp: { ...resource, oldVersion: false, sid: ALPHANUMERIC, notPrincipal: false },
  trust: { ...resource, resource: 'forbidden', sid: ALPHANUMERIC, notPrincipal: false },
}

export function checkOperator(operator: string, values: readonly string[], at: Position, report: Report): void {
  const parsed = parseOperator(operator)
  if (!parsed) report('syntax', TEXTS.syntax, at)
  else if (parsed.operator.accepts && !values.every(parsed.operator.accepts)) report('legacy', TEXTS.legacy, at)
}

export function checkAction(action: string, kind: PolicyKind, at: Position, report: Report): void {
  if (kind === 'trust' && !action.toLowerCase().startsWith('sts:')) report('kind', TEXTS.trustActions, at)
  if (action === '*') return
  const parts = action.split(':')
  if (parts.length === 1) report('vendor', TEXTS.vendorMissing, at)
  else if (parts.length > 2) report('vendor', TEXTS.colons, at)
  else if (!/^([a-zA-Z0-9.-]+|\*)$/.test(parts[0]!)) report('vendor', TEXTS.vendor(parts[0]!), at)
}

const PARTITION = /^(aws(-[a-z0-9-]+)?|[a-z-]*[*?][a-z*?-]*)$/
/** In AWS's order, which its message repeats. */
const IAM_PATHS = [
  'user',
  'federated-user',
  'role',
  'group',
  'instance-profile',
  'mfa',
  'server-certificate',
  'policy',
  'sms-mfa',
  'saml-provider',
  'oidc-provider',
  'report',
  'access-report',
] as const

export function checkResource(written: string, at: Position, report: Report): void {
  const problem = resourceProblem(written)
  if (problem) report(problem[0], problem[1], at)
}

function resourceProblem(written: string): readonly [Stage, string] | undefined {
  if (written === '*') return undefined
  // The colons of a variable's name are not the ARN's.
  const parts = written.replaceAll(/\$\{[^}]*\}/g, (variable) => variable.replaceAll(':', '_')).split(':')
  if (parts.length === 1) return ['arn', TEXTS.arn(written)]
  const legacy = parts.length < 6 ? written.startsWith('arn:aws:') && written.includes('::') : parts[2] === ''
  if (legacy) return ['legacy', TEXTS.legacy]

  const padded = ['arn', ...parts.slice(1), ...new Array<string>(Math.max(0, 6 - parts.length)).fill('*')]
  const [, partition, service = '', region = '', account = '', path = ''] = padded
  if (!PARTITION.test(partition!)) return ['arn', TEXTS.partition(partition!, padded.join(':'))]
  if (parts[0] !== 'arn') return ['arn', TEXTS.arn(written)]
  if (parts.length < 3 || (/[*?]/.test(service) && parts.length > 3)) return ['arn', TEXTS.resourceVendor]
  if (parts.length < 6) return undefined
  if (service === 'iam') {
    if (region !== '' && region !== '*') return ['arn', TEXTS.iamRegion(written)]
    const [first] = path.split('/')
    const known = IAM_PATHS.some((each) => path.startsWith(each + '/')) || /[*?$]/.test(first!)
    return known ? undefined : ['arn', TEXTS.iamPath(IAM_PATHS)]
  }
  const regional = service === 's3' && region !== '' && region !== '*' && account === ''
  return regional ? ['arn', TEXTS.s3Region(written)] : undefined
}

/** Whether they exist is for IAM to say; how they are written, for us. */
const PRINCIPAL_SHAPES: Readonly<Record<PrincipalType, RegExp>> = {
  AWS: new RegExp(
    '^(\\*|\\d{12}|A(IDA|ROA)[A-Z0-9]{13,}' +
      '|arn:aws[a-z-]*:iam::\\d{12}:(root|(user|role)/[^*?]+)' +
      '|arn:aws[a-z-]*:iam::cloudfront:user/[^*?]+' +
      '|arn:aws[a-z-]*:sts::\\d{12}:(assumed-role/[^/*?]+/[^/*?]+|federated-user/[^*?]+|self))$',
  ),
  Service: /^[a-z0-9-]+(\.[a-z0-9-]+)+$/,
  Federated: /^(arn:aws[a-z-]*:iam::\d{12}:(saml|oidc)-provider\/[^*?]+|[a-z0-9-]+(\.[a-z0-9-]+)+)$/,
  CanonicalUser: /^[0-9a-f]{64}$/,
}

export function checkPrincipals(principals: Principals, kind: PolicyKind, at: Position, report: Report): void {
  for (const [type, names] of Object.entries(principals) as [PrincipalType, readonly string[]][]) {
    for (const name of names) {
      if (!PRINCIPAL_SHAPES[type].test(name)) report('principal', TEXTS.principal(type, name), at)
    }
  }
  if (kind === 'rcp' && !(principals.AWS?.length === 1 && principals.AWS[0] === '*')) report('kind', TEXTS.syntax, at)
}
