/** Whether the actions exist, and whether one says what another has said. */
import type { Budget } from '../budget.ts'
import { globCodes, globMatches } from '../glob.ts'
import type { Text } from './finding.ts'
import { serviceOfType } from './resource-types.ts'
import type { Check, Linted, Report } from './statement.ts'

export const checkActions: Check = (statement, linted, report) => {
  const element = statement.action ?? statement.notAction
  const texts = element?.texts() ?? []
  for (const text of texts) checkAction(text, linted, report)
  redundant(texts, 'REDUNDANT_ACTION', linted, report)
}

function checkAction({ at, text }: Text, { kind, reference, resourceType, budget }: Linted, report: Report): void {
  const wanted = resourceType && serviceOfType(resourceType)
  if (wanted && !/^[^:]*[*?]/.test(text) && text.split(':')[0]!.toLowerCase() !== wanted) {
    report('ERROR', 'UNSUPPORTED_ACTION_IN_POLICY', `A policy on ${resourceType} cannot name ${text}.`, at)
  }
  if (kind === 'trust' && !/^(\*|sts:)/i.test(text)) {
    report('ERROR', 'UNSUPPORTED_ACTION_IN_POLICY', `${text} has no place in a trust policy.`, at)
  }
  if (text === '*') return
  const parts = text.split(':')
  const prefix = parts[0]!.toLowerCase()
  if (parts.length !== 2 || prefix === '' || parts[1] === '') {
    return void report('ERROR', 'INVALID_ACTION', `${text} is no action: expected a service, a colon and a name.`, at)
  }
  if (/[*?]/.test(prefix)) {
    report('SUGGESTION', 'WILDCARD_IN_SERVICE_NAME', `Name the service instead of ${parts[0]}.`, at)
    if (prefix !== '*') report('ERROR', 'INVALID_SERVICE_IN_ACTION', `There is no service ${parts[0]}.`, at)
    return
  }
  const service = reference.service(prefix)
  if (!service) return void report('ERROR', 'INVALID_SERVICE_IN_ACTION', `There is no service ${parts[0]}.`, at)
  const name = parts[1]!.toLowerCase()
  const known = /[*?]/.test(name) ? matchesAny(name, service.actions, budget) : service.actions.has(name)
  if (!known) report('ERROR', 'INVALID_ACTION', `The service ${prefix} has no action ${parts[1]}.`, at)
}

function matchesAny(pattern: string, actions: ReadonlySet<string>, budget: Budget): boolean {
  const codes = globCodes(pattern)
  let compared = 0
  for (const action of actions) {
    compared++
    if (globMatches(codes, action)) {
      budget.spend(compared)
      return true
    }
  }
  budget.spend(compared)
  return false
}

const COMPARED_MAX = 200

/** Texts that another text of the same list covers. Long lists are left: this is advice. */
export function redundant(texts: readonly Text[], code: string, { budget }: Linted, report: Report): void {
  if (texts.length < 2 || texts.length > COMPARED_MAX) return
  budget.spend(texts.length ** 2)
  const lowered = texts.map(({ text }) => (code === 'REDUNDANT_ACTION' ? text.toLowerCase() : text))
  const covered = texts.filter((_, i) =>
    lowered.some((other, j) => i !== j && covers(other, lowered[i]!) && !(covers(lowered[i]!, other) && j > i)),
  )
  if (covered.length > 0) {
    const details = `${covered.map(({ text }) => text).join(', ')}: said already by another of the list.`
    report('SUGGESTION', code, details, ...covered.map(({ at }) => at))
  }
}

/** Whether all that the second matches, the first does; a wildcard in the second is taken as it is written. */
function covers(first: string, second: string): boolean {
  return first === second || (/[*?]/.test(first) && !first.includes('${') && globMatches(globCodes(first), second))
}
