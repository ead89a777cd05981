/** Regex pattern sets: regular expressions that rules refer to. */
import { PATTERN_COST_MAX, patternCost } from '../../engines/waf/pattern-batch.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { associated, invalidParameter, limitExceeded, wafv2 } from './faults.ts'
import { listed } from './lists.ts'
import {
  assertRoom,
  assertUnchanged,
  entity,
  isReferenced,
  newEntity,
  newRow,
  type RegexPatternSetRow,
  regexPatternSet,
  summaryOf,
} from './resources.ts'

interface ListedPattern {
  readonly RegexString?: string | undefined
}

/** Throws for a text that is no regular expression, or that takes too long to match; returns what it costs. */
export function costOfPattern(text: string): number {
  const cost = patternCost(text)
  if (cost !== undefined && cost <= PATTERN_COST_MAX) return cost
  throw invalidParameter(
    'REGEX_PATTERN_REFERENCE_STATEMENT',
    text,
    cost === undefined
      ? 'The parameter contains a regular expression that is not valid or not supported.'
      : 'The regular expression is too complex. Use smaller counted repetitions.',
  )
}

function patternsOf(call: Call, list: readonly ListedPattern[]): readonly string[] {
  const quota = 'PatternsPerRegexPatternSet'
  if (list.length > call.quotas[`wafv2/${quota}`]!) throw limitExceeded(quota)
  const patterns = list.map(({ RegexString = '' }) => RegexString)
  const cost = patterns.reduce((total, pattern) => total + costOfPattern(pattern), 0)
  if (cost > PATTERN_COST_MAX) throw limitExceeded('REGEX_COMPLEXITY')
  return patterns
}

export const createRegexPatternSet = wafv2
  .operation('CreateRegexPatternSet')
  .on(newEntity(regexPatternSet))
  .run(async (call, input, target) => {
    const patterns = patternsOf(call, input.RegularExpressionList)
    await assertRoom(call, regexPatternSet, target, 'RegexPatternSetsPerAccount')
    const row: RegexPatternSetRow = { ...newRow(call, target, input.Description), patterns, tags: target.tags }
    target.create(row)
    return { Summary: summaryOf(row, target.arn) }
  })

export const getRegexPatternSet = wafv2
  .operation('GetRegexPatternSet')
  .on(entity(regexPatternSet))
  .run((_call, _input, { row, arn }) => ({
    RegexPatternSet: {
      Name: row.name,
      Id: row.id,
      ARN: arn,
      ...(row.description !== undefined && { Description: row.description }),
      RegularExpressionList: row.patterns.map((RegexString) => ({ RegexString })),
    },
    LockToken: row.lockToken,
  }))

export const listRegexPatternSets = wafv2
  .operation('ListRegexPatternSets')
  .on(regexPatternSet.collection())
  .run(async (call, input, sets) => {
    const { items, next } = await listed(call, input, sets)
    return { RegexPatternSets: items.map((row) => summaryOf(row, regexPatternSet.arnOf(row, row))), ...next }
  })

export const updateRegexPatternSet = wafv2
  .operation('UpdateRegexPatternSet')
  .on(entity(regexPatternSet))
  .run((call, input, { row, save }) => {
    assertUnchanged(row, input.LockToken)
    const patterns = patternsOf(call, input.RegularExpressionList)
    const lockToken = call.newId()
    save({ ...row, patterns, description: input.Description, lockToken })
    return { NextLockToken: lockToken }
  })

export const deleteRegexPatternSet = wafv2
  .operation('DeleteRegexPatternSet')
  .on(entity(regexPatternSet))
  .run(async (call, input, { row, arn, remove }) => {
    assertUnchanged(row, input.LockToken)
    if (await isReferenced(call.unit, arn)) throw associated()
    remove()
    return {}
  })
