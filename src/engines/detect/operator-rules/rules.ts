/**
 * Rules that operators write in YAML, in Sigma's form for CloudTrail.
 * Source: https://sigmahq.io/sigma-specification/specification/sigma-rules-specification.html
 *
 * @example
 * title: Access key for another user
 * level: high
 * logsource: { product: aws, service: cloudtrail }
 * detection:
 *   selection: { eventSource: iam.amazonaws.com, eventName: CreateAccessKey }
 *   filter: { userIdentity.arn|endswith: ':role/Provisioning' }
 *   condition: selection and not filter
 */
import { type Document, parseAllDocuments } from 'yaml'
import { isApi } from '../finding.ts'
import { isObject, textOf } from '../normalize/json.ts'
import type { JsonObject, OperatorRule } from '../types.ts'
import { type Condition, OperatorRuleError, parseCondition } from './condition.ts'
import { compileSelection, type Matches } from './fields.ts'

export { OperatorRuleError } from './condition.ts'

/** Characters of one file. */
export const RULE_FILE_LENGTH_MAX = 64 * 1024
const RULES_MAX = 1_000
const SELECTIONS_MAX = 50

const SEVERITIES: Readonly<Record<string, number>> = { informational: 1, low: 2, medium: 5, high: 8, critical: 9 }

/** The rules of a file, which may hold several documents. Throws an `OperatorRuleError`. */
export function parseOperatorRules(text: string): readonly OperatorRule[] {
  if (text.length > RULE_FILE_LENGTH_MAX)
    throw new OperatorRuleError(`The file has more than ${RULE_FILE_LENGTH_MAX} characters.`)
  const documents = parseAllDocuments(text, { uniqueKeys: true })
  if (!Array.isArray(documents)) return []
  if (documents.length > RULES_MAX) throw new OperatorRuleError(`The file has more than ${RULES_MAX} rules.`)
  return documents.map((document) => {
    const [problem] = document.errors
    if (problem) throw new OperatorRuleError(`The file is not YAML: ${problem.message.split('\n')[0]}`)
    return ruleOf(plainValueOf(document))
  })
}

/** Without aliases: a short file could stand for a very long one. */
function plainValueOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (error) {
    if (error instanceof ReferenceError)
      throw new OperatorRuleError('The file has an alias (*name), which is not supported.')
    throw error
  }
}

function ruleOf(value: unknown): OperatorRule {
  if (!isObject(value)) throw new OperatorRuleError('A rule is a map with a title and a detection.')
  const title = textOf(value.title, 256)
  if (title === '') throw new OperatorRuleError('The rule has no title.')
  const source = value.logsource
  if (isObject(source) && (source.product ?? 'aws') !== 'aws')
    throw new OperatorRuleError(`The rule is for the logs of ${String(source.product)}; only aws is supported.`)
  if (isObject(source) && (source.service ?? 'cloudtrail') !== 'cloudtrail')
    throw new OperatorRuleError(`The rule is for ${String(source.service)}; only cloudtrail is supported.`)
  const level = textOf(value.level) || 'medium'
  if (!Object.hasOwn(SEVERITIES, level)) throw new OperatorRuleError(`'${level}' is no level.`)
  const { matches, events } = detectionOf(value.detection)
  const slug = title
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60)
  return {
    type: `Custom:IAMUser/${slug}`,
    rule: textOf(value.id, 64) || slug,
    severity: SEVERITIES[level]!,
    // Braces would be placeholders.
    title: title.replace(/[{}]/g, ''),
    description: textOf(value.description, 512).replace(/[{}]/g, ''),
    events,
    matches: (event) => isApi(event) && event.record !== undefined && matches(event.record),
  }
}

type Events = NonNullable<OperatorRule['events']>

interface Detection {
  readonly matches: Matches
  /** The only events that can match, in lower case; undefined: any. */
  readonly events: Events | undefined
}

function detectionOf(value: unknown): Detection {
  if (!isObject(value)) throw new OperatorRuleError('The rule has no detection.')
  const { condition: written, timeframe, ...selections } = value
  if (timeframe !== undefined)
    throw new OperatorRuleError('The rule has a timeframe, which is not supported: rules look at one event.')
  const names = Object.keys(selections)
  if (names.length === 0 || names.length > SELECTIONS_MAX)
    throw new OperatorRuleError(`A detection has 1 to ${SELECTIONS_MAX} selections.`)
  const texts = Array.isArray(written) ? written : [written]
  const conditions = texts.map((text) => {
    if (typeof text !== 'string') throw new OperatorRuleError('The detection has no condition.')
    return parseCondition(text, names)
  })
  const condition: Condition = conditions.length === 1 ? conditions[0]! : { kind: 'or', of: conditions }
  const compiled = new Map(names.map((name) => [name, compileSelection(name, selections[name])]))
  return { matches: compile(condition, compiled), events: eventsOf(condition, selections) }
}

function compile(condition: Condition, selections: ReadonlyMap<string, Matches>): Matches {
  if (condition.kind === 'name') return selections.get(condition.name)!
  if (condition.kind === 'not') {
    const inner = compile(condition.of, selections)
    return (record) => !inner(record)
  }
  const parts = condition.of.map((each) => compile(each, selections))
  return condition.kind === 'and'
    ? (record) => parts.every((matches) => matches(record))
    : (record) => parts.some((matches) => matches(record))
}

/** So that a thousand rules cost an event no more than the ones that name it. */
function eventsOf(condition: Condition, selections: JsonObject): Events | undefined {
  if (condition.kind === 'not') return undefined
  if (condition.kind === 'name') return eventsOfSelection(selections[condition.name])
  const parts = condition.of.map((each) => eventsOf(each, selections))
  return condition.kind === 'or' ? union(parts) : (parts.find((each) => each?.[0]?.source) ?? parts.find(Boolean))
}

const union = (parts: readonly (Events | undefined)[]): Events | undefined =>
  parts.every((each) => each !== undefined) ? parts.flatMap((each) => each!) : undefined

function eventsOfSelection(value: unknown): Events | undefined {
  if (Array.isArray(value)) return union(value.map(eventsOfSelection))
  if (!isObject(value)) return undefined
  const names = plainTexts(value.eventName)
  const sources = plainTexts(value.eventSource) ?? [undefined]
  return names?.flatMap((name) => sources.map((source) => ({ source, name })))
}

/** Undefined where there is none, or one with a wildcard. */
function plainTexts(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const texts = (Array.isArray(value) ? value : [value]).map(String)
  return texts.some((text) => /[*?\\]/.test(text)) ? undefined : texts.map((text) => text.toLowerCase())
}
