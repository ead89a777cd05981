/** `merlon policy what-can PRINCIPAL`: the actions a user or role may do, and on which resources. */
import { actionsByService } from '../../kernel/resource/policy-reference.ts'
import { extentShown, missingKeys } from '../../policy/account/access-text.ts'
import { folded } from '../../policy/account/folded-actions.ts'
import type { Account, Identity } from '../../policy/account/identity.ts'
import { reachOf } from '../../policy/account/reach-of.ts'
import type { Access, Reach } from '../../policy/reach.ts'
import { UsageError } from '../command.ts'
import { parseSubcommand, required, type SubCommand } from '../subcommand.ts'
import { readAccount } from './account.ts'
import { accessAsJson, doubtShown } from './conditions.ts'
import { aroundOf, aroundOptions } from './identities.ts'
import { plural, printJson, printLine } from './shown.ts'

const options = {
  account: {
    type: 'string',
    value: 'FILE',
    about: 'what `aws iam get-account-authorization-details` printed (required)',
  },
  service: { type: 'string', value: 'PREFIX', about: 'only the actions of this service: s3' },
  ...aroundOptions,
  json: { type: 'boolean', about: 'for programs' },
} as const

/** Actions with the same access. */
interface Group {
  readonly actions: string[]
  readonly accesses: readonly Access[]
}

export const whatCanCommand: SubCommand = {
  name: 'what-can',
  operands: 'PRINCIPAL',
  about: 'Lists the actions a user or role may do, and on which resources. PRINCIPAL is an ARN or a name.',
  options,
  async run(words) {
    const { given, operands } = parseSubcommand(options, words, { least: 1, most: 1, names: 'PRINCIPAL' })
    const account = await readAccount(required(given.account, 'account'))
    const identity = identityNamed(operands[0]!, account)
    const services = await actionsByService()
    const service = given.service?.toLowerCase()
    if (service !== undefined && !services.has(service)) {
      throw new UsageError(`There is no service '${given.service}': expected a prefix of actions, such as s3.`)
    }
    const wanted = service === undefined ? services : new Map([[service, services.get(service)!]])
    const groups = grouped(reachOf(identity, aroundOf(given), account.id), [...wanted.values()].flat())

    if (given.json) {
      printJson({
        principal: identity.arn,
        access: groups.map(({ actions, accesses }) => ({ actions, on: accesses.map(accessAsJson) })),
      })
    } else {
      printLine(shown(identity, groups, wanted))
    }
    return 0
  },
}

function identityNamed(word: string, { identities }: Account): Identity {
  const found = identities.filter(({ arn, name }) => arn === word || name === word)
  if (found.length === 1) return found[0]!
  if (found.length > 1) throw new UsageError(`'${word}' is a user and a role: say its ARN.`)
  const names = identities.map(({ name }) => name)
  throw new UsageError(
    `The account has no user or role '${word}'. It has: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}.`,
  )
}

/** The engine answers alike for actions that the same statements bear on: the answer is the key. */
function grouped(reach: Reach, actions: readonly string[]): readonly Group[] {
  const groups = new Map<readonly Access[], Group>()
  for (const action of actions) {
    const accesses = reach.of(action)
    if (accesses.length === 0) continue
    const group = groups.get(accesses)
    if (group) group.actions.push(action)
    else groups.set(accesses, { actions: [action], accesses })
  }
  return [...groups.values()]
}

function shown(identity: Identity, groups: readonly Group[], wanted: ReadonlyMap<string, readonly string[]>): string {
  const count = groups.reduce((sum, { actions }) => sum + actions.length, 0)
  const lines = [`${identity.arn} may do ${plural(count, 'action')}.`]
  for (const { actions, accesses } of groups) {
    lines.push('', ...wrapped(folded(actions, wanted)))
    for (const access of accesses) {
      for (const extent of access.resources)
        lines.push(`  ${access.certain ? 'on' : 'perhaps on'} ${extentShown(extent)}`)
      if (access.unclear) lines.push('    the patterns are too entangled to say more')
      else lines.push(...access.doubts.map((doubt) => `    ${doubtShown(doubt)}`))
    }
    const missing = missingKeys(accesses)
    if (missing.length > 0) lines.push(`  unknown: ${missing.join(', ')}`)
  }
  return `${lines.join('\n')}\n`
}

const WIDTH = 100

/** Names with commas, in lines of a readable width. */
export function wrapped(names: readonly string[]): readonly string[] {
  const lines: string[] = []
  for (const name of names) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + name.length + 2 <= WIDTH) lines[lines.length - 1] = `${last}, ${name}`
    else lines.push(name)
  }
  return lines
}
