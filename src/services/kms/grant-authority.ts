/** What grants allow a caller, as statements that enter the decision beside the key's policy. */
import type { GrantOperation } from '@aws-sdk/client-kms'
import type { Call } from '../../kernel/gate/call.ts'
import { type CompiledStatement, compilePolicy, type Policy, type Principal } from '../../policy/index.ts'
import { isAsStrict, satisfies } from './grant-constraints.ts'
import { at, type GrantConstraints, type GrantRow, type KeyRow } from './rows.ts'

interface UseFacts {
  readonly context?: Readonly<Record<string, string>> | undefined
  /** A grant that is to be created: another grant allows it only if it allows no more than that one. */
  readonly created?: {
    readonly operations: readonly GrantOperation[]
    readonly constraints: GrantConstraints | undefined
  }
  /** A grant that is to be retired. */
  readonly retired?: GrantRow | undefined
}

/** What the constraints of a grant are compared with. A class: no request can have the form of one. */
export class GrantUse {
  readonly facts: UseFacts

  constructor(facts: UseFacts) {
    this.facts = facts
  }
}

export async function grantedTo(
  call: Call,
  row: KeyRow,
  { facts: use }: GrantUse,
): Promise<readonly CompiledStatement[]> {
  const found: CompiledStatement[] = []
  for (const name of namesOf(call.caller.principal)) {
    for (const { document } of await call.unit.range<GrantRow>(at.granteeGrants(row, name))) {
      const operations = document.operations.filter((operation) => covers(document, operation, use))
      if (operations.length > 0) found.push(...statementsOf(document, operations))
    }
  }
  const { retired } = use
  if (retired?.retirer) found.push(...compiled(retired.id, retired.retirer, ['RetireGrant']))
  return found
}

/** Every name by which a grant may name the caller. */
function namesOf(principal: Principal): readonly string[] {
  switch (principal.kind) {
    case 'anonymous':
      return []
    case 'service':
      return [principal.name]
    case 'root':
      return [principal.arn]
    case 'user':
      return [principal.userId, principal.arn, rootOf(principal.account)]
    case 'role-session':
      return [principal.roleId, principal.roleArn, principal.arn, rootOf(principal.account)]
    case 'federated-user':
      return [principal.arn, principal.issuerId, principal.issuerArn, rootOf(principal.account)]
  }
}

export const rootOf = (account: string): string => `arn:aws:iam::${account}:root`

function covers(grant: GrantRow, operation: GrantOperation, use: UseFacts): boolean {
  const { operations, constraints } = grant
  // A grant lets its grantee end that grant, and no other of the key.
  if (operation === 'RetireGrant') return use.retired?.id === grant.id
  // A call does not say for which resource it is made, so a grant bound to one allows nothing but its own retirement.
  if (constraints?.SourceArn !== undefined) return false
  if (operation === 'CreateGrant') {
    const { created } = use
    if (!created) return false
    return created.operations.every((each) => operations.includes(each)) && isAsStrict(created.constraints, constraints)
  }
  // Constraints on encryption contexts say nothing about a description.
  return operation === 'DescribeKey' || satisfies(use.context ?? {}, constraints)
}

/** Rows never change: most grants are compiled once. */
const whole = new WeakMap<GrantRow, readonly CompiledStatement[]>()

function statementsOf(row: GrantRow, operations: readonly GrantOperation[]): readonly CompiledStatement[] {
  if (operations.length < row.operations.length) return compiled(row.id, row.grantee, operations)
  let statements = whole.get(row)
  if (!statements) whole.set(row, (statements = compiled(row.id, row.grantee, operations)))
  return statements
}

function compiled(
  id: string,
  grantee: GrantRow['grantee'],
  operations: readonly GrantOperation[],
): readonly CompiledStatement[] {
  const start = { offset: 0, line: 1, column: 1 }
  const policy: Policy = {
    kind: 'resource',
    // In this version a context value with `${` in it is plain text.
    version: '2008-10-17',
    id: undefined,
    statements: [
      {
        index: 0,
        sid: id,
        effect: 'Allow',
        action: { negated: false, values: operations.map((operation) => `kms:${operation}`) },
        resource: { negated: false, values: ['*'] },
        principal: { negated: false, values: grantee.service ? { Service: [grantee.by] } : { AWS: [grantee.by] } },
        conditions: [],
        start,
        end: start,
      },
    ],
  }
  return compilePolicy(policy, { id: `grant/${id}`, kind: 'resource' }).statements
}
