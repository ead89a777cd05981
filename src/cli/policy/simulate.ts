/** `merlon policy simulate`: several actions on several resources, as a table. */
import { explain } from '../../policy/index.ts'
import { UsageError } from '../command.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'
import { asJson, nameOf, whereIs } from './files.ts'
import { callerOf, callerOptions, layerOptions, layersOf } from './request.ts'
import { plural, printJson, printLine, table } from './shown.ts'

const options = {
  ...callerOptions,
  action: {
    type: 'string',
    value: 'ACTION',
    multiple: true,
    about: 'an action of the request; may be repeated (required)',
  },
  resource: { type: 'string', value: 'ARN', multiple: true, about: "on what; may be repeated (default '*')" },
  ...layerOptions,
  json: { type: 'boolean', about: 'for programs' },
} as const

export const simulateCommand: SubCommand = {
  name: 'simulate',
  about: 'Decides every action on every resource. Exit status 0 when all are allowed, 1 when one is denied.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words)
    if (given.action.length === 0) throw new UsageError('--action is missing.')
    const caller = callerOf(given)
    const layers = layersOf(given)
    const resources = given.resource.length > 0 ? given.resource : ['*']
    const requests = given.action.flatMap((action) => resources.map((resource) => caller.request(action, resource)))
    const rows = requests.map((request) => ({ request, explained: explain(request, layers) }))
    const denied = rows.filter(({ explained }) => !explained.allowed).length

    if (given.json) {
      printJson(
        rows.map(({ request, explained: { allowed, explicit, layer, statement, missing } }) => ({
          action: request.action,
          resource: request.resource,
          allowed,
          explicitDeny: explicit,
          layer,
          ...(statement && { statement: asJson(statement) }),
          missingContextKeys: missing,
        })),
      )
    } else {
      const shown = rows.map(({ request, explained: { allowed, explicit, layer, statement, missing } }) => [
        allowed ? 'allowed' : explicit ? 'denied' : 'not allowed',
        request.action,
        request.resource,
        statement ? `${layer}: ${nameOf(statement)} in ${whereIs(statement)}` : layer,
        missing.length > 0 ? `missing ${missing.join(', ')}` : '',
      ])
      printLine(table([['DECISION', 'ACTION', 'RESOURCE', 'DECIDED BY', ''], ...shown]))
      printLine(`\n${plural(rows.length, 'request')}, ${denied} denied\n`)
    }
    return denied === 0 ? 0 : 1
  },
}
