/** Whether the elements are there, are known, and fit together. */
import { RULES } from '../check.ts'
import type { PolicyKind } from '../document.ts'
import type { At } from './finding.ts'
import type { Check, Linted, Report } from './statement.ts'

const TOP: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement'])
const MEMBERS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Principal',
  'NotPrincipal',
  'Condition',
])

export function checkDocument(root: At, kind: PolicyKind, report: Report): void {
  if (root.json.type !== 'object') return void report('ERROR', 'DATA_TYPE_MISMATCH', 'A policy is a JSON object.', root)
  unknownElements(root, TOP, report)
  differingInCase(root, report)
  const version = root.member('Version')
  if (!version) report('WARNING', 'MISSING_VERSION', 'The policy has no Version: 2008-10-17 is assumed.', root)
  else if (version.json.type !== 'string') typeMismatch(version, 'string', report)
  else if (version.json.value !== '2012-10-17' && version.json.value !== '2008-10-17') {
    report('ERROR', 'INVALID_VERSION', `${version.json.value} is no version of the policy language.`, version)
  } else if (version.json.value === '2008-10-17' && !RULES[kind].oldVersion) {
    report('ERROR', 'INVALID_VERSION', 'A policy of this type must have the version 2012-10-17.', version)
  }
  const id = root.member('Id')
  if (id && id.json.type !== 'string') typeMismatch(id, 'string', report)

  const listed = root.member('Statement')
  if (!listed || listed.isEmptyList) {
    report('ERROR', 'MISSING_STATEMENT', 'The policy has no statement.', listed ?? root)
  } else {
    for (const each of listed.items()) if (each.json.type !== 'object') typeMismatch(each, 'object', report)
  }
}

function unknownElements(at: At, known: ReadonlySet<string>, report: Report): void {
  for (const [name, inner] of at.members()) {
    if (!known.has(name))
      report('ERROR', 'INVALID_POLICY_ELEMENT', `The policy language has no element ${name}.`, inner)
  }
}

function differingInCase(at: At, report: Report): void {
  const seen = new Set<string>()
  for (const [name, inner] of at.members()) {
    if (seen.has(name.toLowerCase())) {
      report('ERROR', 'DUPLICATE_KEYS_WITH_DIFFERENT_CASE', `${name} occurs twice, in another case.`, inner)
    }
    seen.add(name.toLowerCase())
  }
}

function typeMismatch(at: At, wanted: string, report: Report): void {
  report('ERROR', 'DATA_TYPE_MISMATCH', `The value must be of the JSON type ${wanted}.`, at)
}

export const checkElements: Check = (statement, linted, report) => {
  const { at } = statement
  unknownElements(at, MEMBERS, report)
  differingInCase(at, report)
  effect(at, report)
  sid(at, linted, report)

  pair(at, 'Action', 'MISSING_ACTION', true, report)
  const rules = RULES[linted.kind]
  if (rules.resource === 'required') pair(at, 'Resource', 'MISSING_RESOURCE', true, report)
  else if (statement.resource || statement.notResource) {
    const place = statement.resource ?? statement.notResource!
    report(
      'ERROR',
      'ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE',
      'A trust policy has no Resource: the role itself is meant.',
      place,
    )
  }
  if (rules.principal === 'required') pair(at, 'Principal', 'MISSING_PRINCIPAL', false, report)
  else if (statement.principal || statement.notPrincipal)
    unwantedPrincipal(statement.principal ?? statement.notPrincipal!, linted, report)

  const condition = at.member('Condition')
  if (!condition) return
  if (condition.json.type !== 'object') return void typeMismatch(condition, 'object', report)
  differingInCase(condition, report)
  if (condition.json.members.size === 0)
    report('SUGGESTION', 'EMPTY_OBJECT_CONDITION', 'The Condition says nothing.', condition)
  for (const [operator, operatorAt] of condition.members()) {
    if (operatorAt.json.type !== 'object') typeMismatch(operatorAt, 'object', report)
    else differingInCase(operatorAt, report)
    if (operatorAt.json.type === 'object' && operatorAt.json.members.size === 0) {
      report('SUGGESTION', 'EMPTY_OBJECT_CONDITION', `${operator} tests nothing.`, operatorAt)
    }
  }
}

function unwantedPrincipal(place: At, { kind }: Linted, report: Report): void {
  const code = kind === 'scp' ? 'SCP_SYNTAX_ERROR_PRINCIPAL' : 'UNSUPPORTED_PRINCIPAL'
  report('ERROR', code, 'A policy of this type applies to whom it is attached to, and names no principal.', place)
}

function effect(at: At, report: Report): void {
  const element = at.member('Effect')
  if (!element) return void report('ERROR', 'MISSING_EFFECT', 'The statement has no Effect.', at)
  if (element.json.type !== 'string') return void typeMismatch(element, 'string', report)
  const { value } = element.json
  if (value !== 'Allow' && value !== 'Deny')
    report('ERROR', 'INVALID_EFFECT', `The Effect is Allow or Deny, not ${value}.`, element)
}

function sid(at: At, { kind }: Linted, report: Report): void {
  const element = at.member('Sid')
  if (!element) return
  if (element.json.type !== 'string') return void typeMismatch(element, 'string', report)
  const { value } = element.json
  if (value === '') report('SUGGESTION', 'EMPTY_SID_VALUE', 'The Sid is empty.', element)
  else if (!RULES[kind].sid.test(value)) {
    report('ERROR', 'UNSUPPORTED_SID', 'The Sid of this type of policy has letters and digits only.', element)
  }
}

const EMPTY: Readonly<Record<string, string>> = {
  Action: 'EMPTY_ARRAY_ACTION',
  Resource: 'EMPTY_ARRAY_RESOURCE',
  Principal: 'EMPTY_ARRAY_PRINCIPAL',
}

/** One of an element and its negation, of texts. */
function pair(at: At, name: string, missing: string, texts: boolean, report: Report): void {
  const plain = at.member(name)
  const negated = at.member(`Not${name}`)
  if (plain && negated) {
    report('ERROR', 'UNSUPPORTED_ELEMENT_COMBINATION', `${name} and Not${name} exclude each other.`, plain, negated)
  }
  const element = plain ?? negated
  if (!element) return void report('ERROR', missing, `The statement has neither ${name} nor Not${name}.`, at)
  if (!texts) return
  if (element.isEmptyList) {
    report('SUGGESTION', EMPTY[name]!, `The list of ${name} is empty.`, element)
    report('ERROR', missing, `The statement needs at least one ${name}.`, element)
  }
  for (const item of element.items()) if (item.json.type !== 'string') typeMismatch(item, 'string', report)
}

export function checkSids({ statements, kind }: Linted, report: Report): void {
  const seen = new Set<string>()
  for (const { at } of statements) {
    const element = at.member('Sid')
    if (element?.json.type !== 'string' || element.json.value === '') continue
    const { value } = element.json
    if (seen.has(value)) {
      const [type, code] =
        kind === 'resource'
          ? (['WARNING', 'UNIQUE_SIDS_RECOMMENDED'] as const)
          : (['ERROR', 'UNIQUE_SIDS_REQUIRED'] as const)
      report(type, code, `The Sid ${value} is used twice.`, element)
      if (kind === 'resource') report('ERROR', 'UNIQUE_SIDS_REQUIRED', `The Sid ${value} is used twice.`, element)
    }
    seen.add(value)
  }
}
