/** `merlon policy explain`: one request, the decision, and what every layer says to it. */
import {
  type Decision,
  denialMessage,
  type Explanation,
  explain,
  type LayerOutcome,
  type Request,
} from '../../policy/index.ts'
import { parseSubcommand, required, type SubCommand } from '../subcommand.ts'
import { asJson, nameOf, whereIs } from './files.ts'
import { callerOf, callerOptions, layerOptions, layersOf } from './request.ts'
import { printJson, printLine, table } from './shown.ts'

const options = {
  ...callerOptions,
  action: { type: 'string', value: 'ACTION', about: 'the action of the request: s3:GetObject (required)' },
  resource: { type: 'string', value: 'ARN', about: "on what (default '*')" },
  ...layerOptions,
  json: { type: 'boolean', about: 'for programs' },
} as const

export const explainCommand: SubCommand = {
  name: 'explain',
  about: 'Decides one request and says why, layer by layer. Exit status 0 when allowed, 1 when denied.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words)
    const request = callerOf(given).request(required(given.action, 'action'), given.resource ?? '*')
    const explained = explain(request, layersOf(given))

    if (given.json) printJson(explanationAsJson(request, explained))
    else printLine(`${sentence(request, explained)}\n\n${layersShown(explained.layers)}${missingShown(explained)}`)
    return explained.allowed ? 0 : 1
  },
}

function sentence(request: Request, decision: Decision): string {
  if (!decision.allowed) return `Denied. ${denialMessage(request, decision)}`
  const { statement } = decision
  return `Allowed${statement ? ` by ${nameOf(statement)} in ${whereIs(statement)}` : ': no policy needs to allow it'}.`
}

/** What a layer's outcome is called. */
export const OUTCOMES: Readonly<Record<LayerOutcome['outcome'], string>> = {
  allowed: 'allows',
  explicitDeny: 'denies',
  implicitDeny: 'does not allow',
  none: 'does not apply',
}

function layersShown(layers: readonly LayerOutcome[]): string {
  return table(
    layers.flatMap(({ layer, outcome, statements }) => [
      [layer, OUTCOMES[outcome]],
      ...statements.map((each) => ['', `  ${each.effect}`, nameOf(each), whereIs(each)]),
    ]),
    '  ',
  )
}

function missingShown({ missing }: Explanation): string {
  return missing.length === 0 ? '' : `\nUsed by conditions, and not set with --context: ${missing.join(', ')}\n`
}

function explanationAsJson(request: Request, explained: Explanation): object {
  const { allowed, explicit, layer, statement, layers, missing } = explained
  return {
    action: request.action,
    resource: request.resource,
    allowed,
    explicitDeny: explicit,
    layer,
    ...(!allowed && { message: denialMessage(request, explained) }),
    ...(statement && { statement: asJson(statement) }),
    layers: layers.map((each) => ({ ...each, statements: each.statements.map(asJson) })),
    context: Object.fromEntries(request.context.entries()),
    missingContextKeys: missing,
  }
}
