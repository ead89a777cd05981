/** What a policy says twice: whole statements, and numbers of which one decides. */
import type { Json } from '../json.ts'
import { familyOf, type Linted, type Report, type StatementAt } from './statement.ts'

export function checkRepeatedStatements({ statements }: Linted, report: Report): void {
  const seen = new Set<string>()
  for (const { at } of statements) {
    const text = canonical(at.json)
    if (seen.has(text)) report('SUGGESTION', 'REDUNDANT_STATEMENT', 'Another statement is the same.', at)
    seen.add(text)
  }
}

/** Without the Sid, and whatever the order of members. */
function canonical(json: Json): string {
  if (json.type === 'array')
    return json.items.length === 1 ? canonical(json.items[0]!) : `[${json.items.map(canonical).sort()}]`
  if (json.type !== 'object') return JSON.stringify(json.value)
  const members = [...json.members].filter(([name]) => name !== 'Sid').sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`)}}`
}

export function checkRepeatedNumbers({ conditions }: StatementAt, _linted: Linted, report: Report): void {
  for (const { operator, key, keyAt, values } of conditions) {
    if (familyOf(operator) !== 'Numeric' || values.length < 2 || !/(Less|Greater)Than/i.test(operator)) continue
    const which = /less/i.test(operator) ? 'greatest' : 'least'
    report('SUGGESTION', 'REDUNDANT_CONDITION_VALUE_NUM', `Of the values of ${key} only the ${which} decides.`, keyAt)
  }
}
