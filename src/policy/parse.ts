/** From text to a checked policy. */
import { checkAction, checkOperator, checkPrincipals, checkResource, type Report, RULES } from './check.ts'
import {
  type Choice,
  type Condition,
  type Policy,
  type PolicyKind,
  PRINCIPAL_TYPES,
  type Principals,
  type PrincipalType,
  type Statement,
  type Version,
} from './document.ts'
import { PolicyError, type Position } from './error.ts'
import { DOCUMENT_CHARS_MAX, type Json, type JsonObject, parseJson, positions, SAVED_CHARS_MAX } from './json.ts'
import { type Problem, STAGES, TEXTS } from './problem.ts'

/** For a document about to be saved. Throws a `PolicyError` with AWS's text for the first problem. */
export function parsePolicy(text: string, kind: PolicyKind): Policy {
  const { policy, problems } = read(text, kind, DOCUMENT_CHARS_MAX)
  const first = STAGES.map((stage) => problems.find((problem) => problem.stage === stage)).find(Boolean)
  if (first) throw new PolicyError(first.message, first.at)
  return policy
}

/**
 * For a document saved before, perhaps under laxer rules: throws only when it has no meaning. What the language does
 * not know in it never allows.
 */
export function readPolicy(text: string, kind: PolicyKind): Policy {
  return read(text, kind, SAVED_CHARS_MAX).policy
}

function read(text: string, kind: PolicyKind, charsMax: number): { policy: Policy; problems: readonly Problem[] } {
  const message = kind === 'trust' ? TEXTS.json : TEXTS.syntax
  const root = parseJson(text, message, charsMax)
  const reader = new DocumentReader(kind, positions(text))
  const stray = text.search(/[^\t\n\r\u0020-\u00ff]/)
  if (stray >= 0) reader.report('syntax', message, positions(text)(stray))
  return { policy: reader.policy(root), problems: reader.problems }
}

const TOP = new Set(['Version', 'Id', 'Statement'])
const MEMBERS = new Set([
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

class DocumentReader {
  readonly problems: Problem[] = []
  readonly #kind: PolicyKind
  readonly #position: (offset: number) => Position

  constructor(kind: PolicyKind, position: (offset: number) => Position) {
    this.#kind = kind
    this.#position = position
  }

  report: Report = (stage, message, at) => {
    this.problems.push({ stage, message, at })
  }

  policy(root: Json): Policy {
    const top = this.#object(root, TOP)
    const version = this.#version(top)
    const id = this.#text(top, 'Id')
    const listed = top.members.get('Statement')
    const statements = listed?.type === 'array' ? listed.items : listed ? [listed] : []
    if (statements.length === 0) this.report('syntax', TEXTS.syntax, this.#position(root.start))
    const parsed = statements.map((statement, index) => this.#statement(statement, index))
    this.#uniqueSids(parsed)
    return { kind: this.#kind, version, id, statements: parsed }
  }

  #version(top: JsonObject): Version {
    const written = this.#text(top, 'Version')
    if (written !== undefined && written !== '2008-10-17' && written !== '2012-10-17') this.#refuse(top)
    if (written !== '2012-10-17' && !RULES[this.#kind].oldVersion) {
      this.report('version', TEXTS.version, this.#position(top.start))
    }
    return written ?? '2008-10-17'
  }

  #statement(json: Json, index: number): Statement {
    const node = this.#object(json, MEMBERS)
    const start = this.#position(node.start)
    const sid = this.#text(node, 'Sid')
    const effect = this.#effect(node)
    const action = this.#choice(node, 'Action')
    const resource = this.#choice(node, 'Resource')
    const principal = this.#principal(node)
    const conditions = this.#conditions(node)
    const end = this.#position(node.end)
    const statement = {
      index,
      sid,
      effect,
      resource,
      principal,
      conditions,
      start,
      end,
      action: action ?? { negated: false, values: [] },
    }
    this.#check(node, statement, action !== undefined)
    return statement
  }

  #check(node: JsonObject, statement: Statement, hasAction: boolean): void {
    const { sid, action, resource, principal, start: at } = statement
    const rules = RULES[this.#kind]
    if (sid !== undefined && !rules.sid.test(sid)) this.report('sid', TEXTS.sidCharacters, at)
    if (!hasAction || action.values.length === 0) this.report('actions', TEXTS.actionsMissing, at)
    for (const value of action.values) checkAction(value, this.#kind, at, this.report)

    if (rules.resource === 'required') {
      if (!resource || resource.values.length === 0) this.report('resources', TEXTS.resourcesMissing, at)
      for (const value of resource?.values ?? []) checkResource(value, at, this.report)
    } else if (resource) {
      this.report('kind', TEXTS.prohibited(resource.negated ? 'NotResource' : 'Resource'), at)
    }

    if (rules.principal === 'forbidden') {
      if (principal) this.report('principal-forbidden', TEXTS.principalForbidden, at)
    } else if (!principal) {
      this.report('principal', TEXTS.principalMissing, at)
    } else {
      if (principal.negated && !rules.notPrincipal) this.report('kind', TEXTS.prohibited('NotPrincipal'), at)
      const node_ = node.members.get('Principal') ?? node.members.get('NotPrincipal')
      checkPrincipals(principal.values, this.#kind, this.#position((node_ ?? node).start), this.report)
    }
    if (this.#kind === 'rcp' && statement.effect === 'Allow') this.report('kind', TEXTS.syntax, at)
  }

  #effect(node: JsonObject): 'Allow' | 'Deny' {
    const written = this.#text(node, 'Effect')
    const effect = (['Allow', 'Deny'] as const).find((each) => each.toLowerCase() === written?.toLowerCase())
    if (!effect) return this.#refuse(node)
    if (effect !== written) this.report('legacy', TEXTS.legacy, this.#position(node.start))
    return effect
  }

  #choice(node: JsonObject, name: 'Action' | 'Resource'): Choice<readonly string[]> | undefined {
    const json = this.#either(node, name)
    return json && { negated: json.negated, values: this.#texts(json.value) }
  }

  #either(node: JsonObject, name: string): { negated: boolean; value: Json } | undefined {
    const plain = node.members.get(name)
    const negated = node.members.get('Not' + name)
    if (plain && negated) return this.#refuse(node)
    const value = plain ?? negated
    return value && { negated: negated !== undefined, value }
  }

  #principal(node: JsonObject): Choice<Principals> | undefined {
    const json = this.#either(node, 'Principal')
    if (!json) return undefined
    const { negated, value } = json
    if (value.type === 'string') {
      if (value.value === '*') return { negated, values: { AWS: ['*'] } }
      this.report('principal', TEXTS.principal('AWS', value.value), this.#position(value.start))
      return { negated, values: {} }
    }
    const values: Partial<Record<PrincipalType, readonly string[]>> = {}
    const types = this.#object(value, new Set(PRINCIPAL_TYPES)).members
    for (const [type, names] of types) values[type as PrincipalType] = this.#texts(names)
    return { negated, values }
  }

  #conditions(node: JsonObject): readonly Condition[] {
    const json = node.members.get('Condition')
    if (!json) return []
    const conditions: Condition[] = []
    for (const [operator, keys] of this.#object(json).members) {
      for (const [key, values] of this.#object(keys).members) {
        const texts = this.#texts(values, true)
        checkOperator(operator, texts, this.#position(values.start), this.report)
        conditions.push({ operator, key, values: texts })
      }
    }
    return conditions
  }

  #uniqueSids(statements: readonly Statement[]): void {
    const seen = new Set<string>()
    for (const { sid, start } of statements) {
      if (!sid) continue
      if (seen.has(sid)) this.report('sid', TEXTS.sidRepeated, start)
      seen.add(sid)
    }
  }

  #object(json: Json, known?: ReadonlySet<string>): JsonObject {
    if (json.type !== 'object') return this.#refuse(json)
    if (known) for (const [name, member] of json.members) if (!known.has(name)) this.#refuse(member)
    return json
  }

  #text(node: JsonObject, name: string): string | undefined {
    const json = node.members.get(name)
    if (!json) return undefined
    return json.type === 'string' ? json.value : this.#refuse(json)
  }

  /** One or several; condition values may be written as numbers and booleans. */
  #texts(json: Json, scalars = false): readonly string[] {
    const items = json.type === 'array' ? json.items : [json]
    return items.map((item) => {
      if (item.type === 'string') return item.value
      if (scalars && (item.type === 'number' || item.type === 'boolean')) return item.value
      return this.#refuse(item)
    })
  }

  #refuse(json: Json): never {
    throw new PolicyError(TEXTS.syntax, this.#position(json.start))
  }
}
