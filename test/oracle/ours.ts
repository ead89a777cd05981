/** The cases as Merlon's engine decides them. */
import {
  Context,
  compilePolicy,
  decide,
  type Layers,
  type PolicyKind,
  type Principal,
  readPolicy,
} from '../../src/policy/index.ts'
import { ACCOUNT, type Case, type Document } from './cases.ts'

const compiled = (document: Document, kind: PolicyKind) =>
  compilePolicy(readPolicy(JSON.stringify(document), kind), { id: kind, kind })

export function principalOf(arn: string): Principal {
  const common = { account: ACCOUNT, arn, tags: {} }
  if (arn.endsWith(':root')) return { kind: 'root', ...common, userId: ACCOUNT }
  if (arn.includes(':user/')) return { kind: 'user', ...common, userId: 'AIDAEXAMPLEEXAMPLE001', name: 'ann' }
  return {
    kind: 'role-session',
    ...common,
    userId: 'AROAEXAMPLEEXAMPLE001:s1',
    roleArn: `arn:aws:iam::${ACCOUNT}:role/app`,
    roleId: 'AROAEXAMPLEEXAMPLE001',
    roleName: 'app',
    sessionName: 's1',
    serviceLinked: false,
  }
}

/** RCPs come with their full access at every level, which AWS attaches and which cannot be detached. */
const RCP_FULL: Document = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
}

export function allows(one: Case): boolean {
  const layers: Layers = {
    identity: one.identity.map((document) => compiled(document, 'identity')),
    resourceMode: 'optional',
    ...(one.boundary && { boundary: compiled(one.boundary, 'boundary') }),
    // Session policies narrow what a boundary does not.
    ...(one.rootIsLimited && { session: [compiled(one.rootIsLimited, 'session')] }),
    ...(one.session && { session: [compiled(one.session, 'session')] }),
    ...(one.resourcePolicy && { resource: compiled(one.resourcePolicy, 'resource') }),
    ...(one.scps.length > 0 && { scps: one.scps.map((document) => [compiled(document, 'scp')]) }),
    ...(one.rcps.length > 0 && {
      rcps: one.rcps.map((document) => [compiled(RCP_FULL, 'rcp'), compiled(document, 'rcp')]),
    }),
  }
  const { action, resource, resourceAccount } = one
  const context = new Context(one.context as Record<string, string | string[]>)
  return decide({ principal: principalOf(one.principal), action, resource, resourceAccount, context }, layers).allowed
}
