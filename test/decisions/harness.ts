/** A row of `iam-decisions.jsonl` put to the engine. */
import {
  type CompiledPolicy,
  Context,
  compilePolicy,
  type Decision,
  decide,
  type Layers,
  type PolicyKind,
  type Principal,
  type Request,
  readPolicy,
} from '../../src/policy/index.ts'

type Document = object
interface Level {
  readonly orgIdentifier: string
  readonly policies: readonly Document[]
}

export interface Row {
  readonly id: string
  readonly name: string
  readonly source: string
  readonly flags?: readonly string[]
  readonly expected: 'Allowed' | 'ImplicitlyDenied' | 'ExplicitlyDenied' | 'Denied'
  readonly request: {
    readonly action: string
    readonly resource: string
    readonly resourceAccount: string
    readonly principal: string | { readonly type: string }
    readonly context: Readonly<Record<string, string | readonly string[]>>
  }
  readonly identityPolicies?: readonly Document[]
  readonly permissionBoundaries?: readonly Document[]
  readonly sessionPolicies?: readonly Document[]
  readonly serviceControlPolicies?: readonly Level[]
  readonly resourceControlPolicies?: readonly Level[]
  readonly endpointPolicies?: readonly Document[]
  readonly resourcePolicy?: Document
}

export function decideRow(row: Row): Decision {
  return decide(requestOf(row), layersOf(row))
}

export function outcome(decision: Decision): Row['expected'] {
  if (decision.allowed) return 'Allowed'
  return decision.explicit ? 'ExplicitlyDenied' : 'ImplicitlyDenied'
}

function requestOf({ request }: Row): Request {
  return { ...request, principal: principalOf(request.principal), context: new Context(request.context) }
}

function layersOf(row: Row): Layers {
  const { permissionBoundaries, sessionPolicies, serviceControlPolicies, resourceControlPolicies } = row
  const [boundary] = all(permissionBoundaries, 'boundary')
  const [endpoint] = all(row.endpointPolicies?.map(forEveryone), 'endpoint')
  const [resource] = all(row.resourcePolicy && [typed(row.resourcePolicy)], trusts(row) ? 'trust' : 'resource')
  return {
    identity: all(row.identityPolicies, 'identity'),
    ...(boundary && { boundary }),
    ...(sessionPolicies && { session: all(sessionPolicies, 'session') }),
    ...(resource && { resource }),
    resourceMode: trusts(row) || /:kms:.*:key\//.test(row.request.resource) ? 'required' : 'optional',
    ...(serviceControlPolicies && { scps: serviceControlPolicies.map((level) => all(level.policies, 'scp')) }),
    ...(resourceControlPolicies && { rcps: resourceControlPolicies.map((level) => all(level.policies, 'rcp')) }),
    ...(endpoint && { endpoint }),
  }
}

/** The rows leave `Principal` out of endpoint policies, where AWS requires it. */
function forEveryone(document: Document): Document {
  return withPrincipals(document, (principal) => principal ?? '*')
}

/** Some rows write a bare ARN as `Principal`, which AWS refuses; what they mean is plain. */
function typed(document: Document): Document {
  return withPrincipals(document, (principal) =>
    typeof principal === 'string' && principal !== '*' ? { AWS: principal } : principal,
  )
}

function withPrincipals(document: Document, change: (principal: unknown) => unknown): Document {
  const { Statement } = document as { Statement: object | object[] }
  const statements = [Statement].flat() as { Principal?: unknown }[]
  return { ...document, Statement: statements.map((each) => ({ ...each, Principal: change(each.Principal) })) }
}

function trusts(row: Row): boolean {
  return row.request.action === 'sts:AssumeRole'
}

function all(documents: readonly Document[] | undefined, kind: PolicyKind): readonly CompiledPolicy[] {
  return (documents ?? []).map((document, index) =>
    compilePolicy(readPolicy(JSON.stringify(document), kind), { id: `${kind}-${index}`, kind }),
  )
}

function principalOf(principal: Row['request']['principal']): Principal {
  if (typeof principal !== 'string') return { kind: 'anonymous' }
  if (!principal.startsWith('arn:')) return { kind: 'service', name: principal }
  const [, , , , account = '', path = ''] = principal.split(':')
  const [type, ...rest] = path.split('/')
  const name = rest.at(-1) ?? ''
  const identified = { account, arn: principal, userId: 'AIDAEXAMPLE', tags: {} }
  if (type === 'root') return { kind: 'root', ...identified, userId: account }
  if (type === 'user') return { kind: 'user', ...identified, name }
  if (type === 'federated-user') {
    const issuerArn = `arn:aws:iam::${account}:user/issuer`
    return { kind: 'federated-user', ...identified, name, issuerArn, issuerId: 'AIDAISSUER' }
  }
  const [roleName = '', sessionName = 'session'] = type === 'assumed-role' ? rest : [name]
  return {
    kind: 'role-session',
    ...identified,
    arn: `arn:aws:sts::${account}:assumed-role/${roleName}/${sessionName}`,
    roleArn: type === 'role' ? principal : `arn:aws:iam::${account}:role/${roleName}`,
    roleId: 'AROAEXAMPLE',
    roleName,
    sessionName,
    serviceLinked: rest[0] === 'aws-service-role',
  }
}
