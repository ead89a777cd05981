/** `merlon policy why`: what decided a recorded call, and what every layer says to it today. */
import type { ExplainedStatement, Why } from '../../server/compose/why.ts'
import { callAdmin, placeOptions } from '../admin-client.ts'
import { plainly } from '../plain.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'
import { OUTCOMES } from './explain.ts'
import { printJson, printLine, table } from './shown.ts'

const options = { ...placeOptions, json: { type: 'boolean', about: 'for programs' } } as const

export const whyCommand: SubCommand = {
  name: 'why',
  operands: 'EVENT-ID',
  about: 'Says what decided a recorded call of an installation, and what its policies say today. For its operator.',
  options,
  async run(words) {
    const { given, operands } = parseSubcommand(options, words, { least: 1, most: 1, names: 'EVENT-ID' })
    const [event] = operands
    const response = await callAdmin<Why>(given, 'POST /policy/why', { event })
    if (given.json) printJson(response)
    else printLine(shown(plainly(response)))
    return 0
  },
}

type DecisionToldBack = Why['decisions'][number]

function shown({ event, principal, decisions }: Why): string {
  const { eventTime, eventSource, eventName, errorCode } = event
  const head = `${eventTime}  ${eventSource.split('.')[0]}:${eventName}  by ${principal}  ${errorCode ?? 'done'}\n`
  if (decisions.length === 0) return `${head}\nNo policy was evaluated: the call ended before, or needed none.\n`
  return head + decisions.map(shownDecision).join('')
}

function shownDecision({ recorded, today, notes }: DecisionToldBack): string {
  const { action, resource, effect, layer, explicit, policy, statement } = recorded
  const by = policy ? { policy, statement: statement ?? '', effect } : undefined
  const lines = [`\n${action} on ${resource}\n  then   ${verdict(effect === 'Allow', layer, explicit ?? false, by)}\n`]
  if (today) {
    const changed =
      today.allowed === (effect === 'Allow') ? '' : '   (DIFFERS: policies have changed, or what is left out counts)'
    lines.push(`  today  ${verdict(today.allowed, today.layer, today.explicit, today.by)}${changed}\n`)
    lines.push(
      table(
        today.layers.flatMap(({ layer: name, outcome, statements }) => [
          [name, OUTCOMES[outcome as keyof typeof OUTCOMES]],
          ...statements.map((each) => ['', `  ${each.effect}`, each.statement, each.policy]),
        ]),
        '    ',
      ),
    )
    if (today.missing.length > 0) lines.push(`  not recorded, and used by conditions: ${today.missing.join(', ')}\n`)
  }
  return lines.concat(notes.map((note) => `  note: ${note}\n`)).join('')
}

function verdict(
  allowed: boolean,
  layer: string | undefined,
  explicit: boolean,
  by: ExplainedStatement | undefined,
): string {
  if (layer === undefined) return `${allowed ? 'allowed' : 'denied'}, by policies of another account`
  if (by) return `${allowed ? 'allowed' : 'denied'} by ${by.statement} in ${by.policy} (${layer})`
  if (allowed) return 'allowed: no policy needs to allow it'
  return explicit ? `denied by a statement (${layer})` : `denied: nothing of the layer ${layer} allows it`
}
