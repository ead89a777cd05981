/** Whether variables are well-formed, and used where they are allowed. */
import type { Text } from './finding.ts'
import { type Check, familyOf, type Linted, type Report } from './statement.ts'

export const checkVariables: Check = (statement, linted, report) => {
  for (const text of (statement.resource ?? statement.notResource)?.texts() ?? []) checkText(text, linted, report)
  for (const { operator, values } of statement.conditions) {
    const family = familyOf(operator)
    for (const value of values) {
      if (!value.text.includes('${')) continue
      if (family === 'String' || family === 'Arn') checkText(value, linted, report)
      else report('ERROR', 'INVALID_VARIABLE_FOR_OPERATOR', `${operator} knows no variables.`, value.at)
    }
  }
  const others = [statement.action, statement.notAction, statement.principal, statement.notPrincipal]
  for (const element of others) {
    for (const { at, text } of element?.texts() ?? []) {
      if (text.includes('${'))
        report('ERROR', 'VARIABLE_UNSUPPORTED_IN_ELEMENT', 'This element knows no variables.', at)
    }
  }
}

function checkText({ at, text }: Text, { version }: Linted, report: Report): void {
  if (!text.includes('${')) return
  if (version === '2008-10-17') {
    report('ERROR', 'VARIABLE_UNSUPPORTED_IN_VERSION', 'Variables need the version 2012-10-17.', at)
    return
  }
  const error = (code: string, details: string) => report('ERROR', code, details, at)
  for (let from = text.indexOf('${'); from >= 0; from = text.indexOf('${', from + 2)) {
    const end = text.indexOf('}', from)
    if (end < 0 || text.slice(from + 2, end).includes('${')) {
      error('MISSING_BRACE_IN_VARIABLE', 'A variable is not closed.')
      continue
    }
    const inside = text.slice(from + 2, end)
    if (inside === '*' || inside === '?' || inside === '$') continue
    const [name = '', ...rest] = inside.split(',')
    const fallback = rest.join(',').trim()
    if (name.trim() === '') error('EMPTY_VARIABLE', 'A variable names no key.')
    else if (/\s/.test(name.trim()) || name !== name.trim()) {
      error('UNSUPPORTED_SPACE_IN_VARIABLE', `The variable ${name.trim()} has a space in or around its name.`)
    }
    if (rest.length > 0 && !/^'[^']*'$/.test(fallback)) {
      error('MISSING_QUOTE_IN_VARIABLE', `The default for a missing ${name.trim()} belongs in single quotes.`)
    }
  }
}
