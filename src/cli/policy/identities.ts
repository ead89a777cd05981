/** The options for what limits all identities of an account: control policies and known condition keys. */
import type { Around } from '../../policy/account/reach-of.ts'
import type { CompiledPolicy, PolicyKind } from '../../policy/index.ts'
import type { Option } from '../command.ts'
import type { ParsedOptions } from '../subcommand.ts'
import { loadPolicy } from './files.ts'
import { contextIn } from './principal.ts'

export const aroundOptions = {
  scp: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    about: 'service control policies: one level each time, several files of a level with commas',
  },
  rcp: { type: 'string', value: 'FILE', multiple: true, about: 'resource control policies, in the same way' },
  context: {
    type: 'string',
    value: 'KEY=VALUE',
    multiple: true,
    about: 'a condition key of every request; may be repeated',
  },
  without: {
    type: 'string',
    value: 'KEY',
    multiple: true,
    about: 'a condition key that no request has; may be repeated',
  },
} as const satisfies Record<string, Option>

export function aroundOf(given: ParsedOptions<typeof aroundOptions>): Around {
  return {
    scps: levelsOf(given.scp, 'scp'),
    rcps: levelsOf(given.rcp, 'rcp'),
    context: contextIn(given.context),
    without: given.without,
  }
}

export function levelsOf(names: readonly string[], kind: PolicyKind): CompiledPolicy[][] | undefined {
  if (names.length === 0) return undefined
  return names.map((level) => level.split(',').map((name) => loadPolicy(name, kind)))
}
