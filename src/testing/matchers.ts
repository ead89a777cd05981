/** Matchers for `expect`, of Vitest and Jest alike. */
import { type DecisionPattern, type MerlonEvent, matches, type RecordedDecision, recordedDecisions } from './events.ts'

interface Outcome {
  readonly pass: boolean
  message(): string
}

/**
 * `expect(await merlon.events()).toHaveDenied({ action: 'kms:Decrypt', principal: 'ann' })`: at least one recorded decision
 * denied what the pattern says. `toHaveAllowed` likewise.
 */
export const matchers = {
  toHaveDenied: (events: readonly MerlonEvent[], pattern: DecisionPattern = {}) => evaluate(events, pattern, 'Deny'),
  toHaveAllowed: (events: readonly MerlonEvent[], pattern: DecisionPattern = {}) => evaluate(events, pattern, 'Allow'),
}

/** How many decisions a failure's message shows. */
const SHOWN_MAX = 10

function evaluate(events: readonly MerlonEvent[], pattern: DecisionPattern, effect: 'Allow' | 'Deny'): Outcome {
  if (!Array.isArray(events)) throw new TypeError('Expected a list of events: expect(await merlon.events())')
  const decisions = events.flatMap(recordedDecisions)
  const found = decisions.filter((decision) => decision.effect === effect && matches(decision, pattern))
  const word = effect === 'Deny' ? 'denied' : 'allowed'
  const wanted = Object.entries(pattern).map(([member, value]) => `${member} ${String(value)}`)
  return {
    pass: found.length > 0,
    message: () =>
      found.length > 0
        ? `Expected no decision that ${word} ${wanted.join(', ') || 'anything'}, but there is:\n${shown(found)}`
        : `Expected a decision that ${word} ${wanted.join(', ') || 'anything'}. Recorded:\n${shown(decisions)}`,
  }
}

function shown(decisions: readonly RecordedDecision[]): string {
  if (decisions.length === 0) return '  no decisions'
  const lines = decisions.slice(-SHOWN_MAX).map(({ effect, action, principal, resource, layer, policy }) => {
    const by = [layer, policy].filter((part) => part !== undefined).join(': ')
    return `  ${effect === 'Deny' ? 'denied ' : 'allowed'} ${action} on ${resource} for ${principal}${by && ` (${by})`}`
  })
  const more = decisions.length - lines.length
  return [...(more > 0 ? [`  … ${more} earlier`] : []), ...lines].join('\n')
}

/** What the matchers add to a framework's assertions. */
export interface MerlonMatchers<R = unknown> {
  toHaveDenied(pattern?: DecisionPattern): R
  toHaveAllowed(pattern?: DecisionPattern): R
}
