/** `merlon policy who-can ACTION RESOURCE`: the users and roles of an account that would be allowed. */
import { extentShown, missingKeys } from '../../policy/account/access-text.ts'
import type { Account, Identity } from '../../policy/account/identity.ts'
import { accountIn } from '../../policy/account/principal-context.ts'
import { type Own, reachOf } from '../../policy/account/reach-of.ts'
import type { Access } from '../../policy/reach.ts'
import { parseSubcommand, required, type SubCommand } from '../subcommand.ts'
import { readAccount } from './account.ts'
import { accessAsJson, doubtShown } from './conditions.ts'
import { loadPolicy, nameOf, whereIs } from './files.ts'
import { aroundOf, aroundOptions } from './identities.ts'
import { actionOf, resourceOf } from './request.ts'
import { plural, printJson, printLine } from './shown.ts'

const options = {
  account: {
    type: 'string',
    value: 'FILE',
    about: 'what `aws iam get-account-authorization-details` printed (required)',
  },
  'resource-policy': { type: 'string', value: 'FILE', about: "the resource's own policy" },
  'key-policy': { type: 'string', value: 'FILE', about: 'the policy of a KMS key, which must allow' },
  ...aroundOptions,
  json: { type: 'boolean', about: 'for programs' },
} as const

interface Row {
  readonly identity: Identity
  readonly accesses: readonly Access[]
}

export const whoCanCommand: SubCommand = {
  name: 'who-can',
  operands: 'ACTION RESOURCE',
  about:
    'Lists the users and roles that may do it, through which statement and under which conditions. RESOURCE may have wildcards.',
  options,
  async run(words) {
    const { given, operands } = parseSubcommand(options, words, { least: 1, most: 2, names: 'ACTION RESOURCE' })
    const action = actionOf(operands[0]!)
    const resource = resourceOf(operands[1] ?? '*')
    const account = await readAccount(required(given.account, 'account'))
    const around = aroundOf(given)
    const own = ownPolicy(action, resource, account, given['resource-policy'], given['key-policy'])
    const owner = accountIn(resource) ?? account.id
    const rows = account.identities
      .map((identity) => ({ identity, accesses: reachOf(identity, around, owner, own).of(action, resource) }))
      .filter(({ accesses }) => accesses.length > 0)
    const notes = notesOn(action, own)

    if (given.json) printJson({ action, resource, principals: rows.map(rowAsJson), notes })
    else printLine(shown(rows, action, resource, account, notes))
    return 0
  },
}

/** A role of the account brings its trust policy. */
function ownPolicy(
  action: string,
  resource: string,
  { identities }: Account,
  resourcePolicy: string | undefined,
  keyPolicy: string | undefined,
): Own | undefined {
  if (keyPolicy !== undefined) return { policy: loadPolicy(keyPolicy, 'resource'), mode: 'required' }
  if (resourcePolicy !== undefined) return { policy: loadPolicy(resourcePolicy, 'resource'), mode: 'optional' }
  if (!action.toLowerCase().startsWith('sts:')) return undefined
  const trust = identities.find(({ arn }) => arn === resource)?.trust
  return trust && { policy: trust, mode: 'required' }
}

function notesOn(action: string, own: Own | undefined): readonly string[] {
  if (own) return []
  if (/^kms:/i.test(action)) {
    return [
      'A KMS key obeys its key policy first: these answers hold only where it delegates to the account. Pass it with --key-policy.',
    ]
  }
  return ["The resource's own policy, if it has one, is not in the account file: give it with --resource-policy."]
}

function shown(
  rows: readonly Row[],
  action: string,
  resource: string,
  { identities }: Account,
  notes: readonly string[],
): string {
  const certain = rows.filter(({ accesses }) => accesses.some((access) => access.certain))
  const conditional = rows.filter((row) => !certain.includes(row))
  const lines = [
    `${action} on ${resource}: ${certain.length} of ${plural(identities.length, 'principal')} may, ${conditional.length} more under conditions.`,
  ]
  for (const { identity, accesses } of [...certain, ...conditional]) {
    const sure = accesses.some((access) => access.certain)
    lines.push('', `${sure ? 'allowed    ' : 'conditional'}  ${identity.arn}`)
    for (const access of accesses) lines.push(...accessShown(access, resource).map((line) => `    ${line}`))
    const missing = missingKeys(accesses)
    if (missing.length > 0) lines.push(`    unknown: ${missing.join(', ')}`)
  }
  lines.push('', ...notes.map((note) => `Note: ${note}`))
  return `${lines.join('\n').trimEnd()}\n`
}

function accessShown({ resources, certain, by, doubts, unclear }: Access, wanted: string): readonly string[] {
  const extent = resources.map(extentShown).join('; ')
  const on = extent === wanted ? '' : ` on ${extent}`
  const through = by ? `by ${nameOf(by)} in ${whereIs(by)} (${by.policy.id})` : 'by the account itself'
  if (certain) return [`${through}${on}`]
  if (unclear) return [`may be${on}: the patterns are too entangled to say`]
  return [`perhaps ${through}${on}`, ...doubts.map((doubt) => `  ${doubtShown(doubt)}`)]
}

function rowAsJson({ identity, accesses }: Row): object {
  return {
    arn: identity.arn,
    kind: identity.kind,
    access: accesses.some(({ certain }) => certain) ? 'allowed' : 'conditional',
    through: accesses.map(accessAsJson),
    missingContextKeys: missingKeys(accesses),
  }
}
