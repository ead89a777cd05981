/** `merlon policy diff OLD NEW`: what access a change adds or removes. */
import { actionsByService } from '../../kernel/resource/policy-reference.ts'
import { extentShown } from '../../policy/account/access-text.ts'
import { folded } from '../../policy/account/folded-actions.ts'
import { type Change, type ChangeKind, Difference } from '../../policy/difference.ts'
import { BudgetError, type CompiledPolicy, type PolicyKind } from '../../policy/index.ts'
import { UsageError } from '../command.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'
import { kindOf, loadPolicy, readText } from './files.ts'
import { plural, printJson, printLine } from './shown.ts'
import { wrapped } from './what-can.ts'

const KINDS = ['identity', 'resource', 'trust', 'scp', 'rcp'] as const

const options = {
  kind: { type: 'string', value: 'KIND', about: `${KINDS.join(', ')} (default: as the new policy's elements show)` },
  json: { type: 'boolean', about: 'for programs' },
} as const

const MARKS: Readonly<Record<ChangeKind, string>> = {
  added: '+',
  'perhaps added': '+?',
  removed: '-',
  'perhaps removed': '-?',
  'perhaps changed': '~?',
}

interface Group {
  readonly actions: string[]
  readonly changes: readonly Change[]
}

export const diffCommand: SubCommand = {
  name: 'diff',
  operands: 'OLD NEW',
  about:
    'Shows what access NEW adds to OLD or takes from it, over all known actions and every resource. Exit status 1 when there is a difference, or there may be one.',
  options,
  async run(words) {
    const { given, operands } = parseSubcommand(options, words, { least: 2, most: 2, names: 'OLD NEW' })
    const kind = kindGiven(given.kind) ?? kindOf(readText(operands[1]!))
    const [before, after] = operands.map((file) => loadPolicy(file, kind))
    const services = await actionsByService()
    const written = [before!, after!].flatMap(({ policy }) => policy.statements.flatMap(({ action }) => action.values))
    const groups = compared(before!, after!, actionsOf(services, written))

    if (given.json) {
      const shown = groups.map(({ actions, changes }) => ({ actions: folded(actions, services), changes }))
      printJson({ changed: groups.length > 0, differences: shown })
    } else printLine(shown(groups, services))
    return groups.length === 0 ? 0 : 1
  },
}

function compared(before: CompiledPolicy, after: CompiledPolicy, actions: readonly string[]): readonly Group[] {
  try {
    return grouped(new Difference(before, after), actions)
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error
    throw new UsageError('The policies are too complex to compare: use fewer wildcards, or compare them in parts.')
  }
}

function kindGiven(kind: string | undefined): PolicyKind | undefined {
  const known = KINDS.find((each) => each === kind)
  if (kind !== undefined && !known) throw new UsageError(`--kind is one of ${KINDS.join(', ')}; '${kind}' is none.`)
  return known
}

/** All that are known, and one of each kind that only the policies speak of: services come faster than tables of them. */
function actionsOf(services: ReadonlyMap<string, readonly string[]>, written: readonly string[]): readonly string[] {
  const known = [...services.values()].flat()
  const lowered = new Set(known.map((name) => name.toLowerCase()))
  const others = written
    .map((name) => (name === '*' ? 'anything:Else' : name.replaceAll('*', 'Any').replaceAll('?', 'x')))
    .filter((name) => !lowered.has(name.toLowerCase()))
  return [...known, ...new Set(others)]
}

function grouped(difference: Difference, actions: readonly string[]): readonly Group[] {
  const groups = new Map<readonly Change[], Group>()
  for (const action of actions) {
    const changes = difference.of(action)
    if (changes.length === 0) continue
    const group = groups.get(changes)
    if (group) group.actions.push(action)
    else groups.set(changes, { actions: [action], changes })
  }
  return [...groups.values()]
}

function shown(groups: readonly Group[], services: ReadonlyMap<string, readonly string[]>): string {
  if (groups.length === 0) return 'No change in access.\n'
  const count = groups.reduce((sum, { actions }) => sum + actions.length, 0)
  const lines = [`Access to ${plural(count, 'action')} differs, or may differ where marked with a question mark.`]
  for (const { actions, changes } of groups) {
    lines.push('', ...wrapped(folded(actions, services)))
    for (const { kind, resources } of changes) {
      for (const extent of resources) lines.push(`  ${MARKS[kind].padEnd(2)} ${kind} on ${extentShown(extent)}`)
    }
  }
  return `${lines.join('\n')}\n`
}
