/** `merlon identity-source …`: where the people of IAM Identity Center sign in, which AWS configures in its console only. */
import { readFileSync } from 'node:fs'
import type { SyncStatus } from '../kernel/ports/identity-store.ts'
import { callAdmin, dataOption } from './admin-client.ts'
import { commandGroup } from './group.ts'
import { parseSubcommand, type SubCommand } from './subcommand.ts'

interface Shown {
  readonly store: string
  readonly source: 'SAML' | 'DIRECTORY' | 'ACTIVE_DIRECTORY'
  readonly issuer?: string
  readonly directoryId?: string
  readonly groups?: readonly string[]
  /** null: the first synchronization has not ended. */
  readonly sync?: SyncStatus | null
  readonly path: string
}

const common = {
  ...dataOption,
  store: { type: 'string', value: 'ID', about: 'the identity store, d-… (default: the only one)' },
  json: { type: 'boolean', about: 'for programs' },
} as const

function print(shown: Shown, isJson: boolean | undefined): void {
  process.stdout.write(isJson ? `${JSON.stringify(shown)}\n` : `${linesOf(shown).join('\n')}\n`)
}

function linesOf({ store, source, issuer, directoryId, groups = [], sync, path }: Shown): readonly string[] {
  if (source === 'ACTIVE_DIRECTORY')
    return [
      `People of ${store} sign in with passwords of the directory ${directoryId}.`,
      groups.length > 0 ? `Synchronized groups: ${groups.join(', ')}` : 'All people and groups are synchronized.',
      ...(sync ? syncLines(sync) : ['The first synchronization has not ended.']),
    ]
  return [
    source === 'SAML'
      ? `People of ${store} sign in at the SAML provider ${issuer}.`
      : `People of ${store} sign in with passwords of the identity store.`,
    `Entity ID and metadata for a SAML provider, below the web address: ${path}`,
  ]
}

function syncLines({ outcome, endedAt, reason, people, groups, skipped = [], skippedCount = 0 }: SyncStatus) {
  const at = new Date(endedAt).toISOString()
  return [
    outcome === 'failed'
      ? `The synchronization of ${at} failed: ${reason}`
      : `Synchronized ${at}: ${people} people, ${groups} groups${outcome === 'running' ? ' (not all yet)' : ''}`,
    ...(skippedCount > 0
      ? [`Left out, since their names are taken or the quota is reached: ${skippedCount} (${skipped.join(', ')})`]
      : []),
  ]
}

const command = (
  name: string,
  about: string,
  operands: { readonly names: string; readonly count: number },
  call: (store: string | undefined, file: string | undefined) => readonly [route: string, input: object],
): SubCommand => ({
  name,
  ...(operands.count > 0 && { operands: 'FILE' }),
  about,
  options: common,
  async run(words) {
    const { count, names } = operands
    const parsed = parseSubcommand(common, words, { least: count, most: count, names })
    const { store, json, data } = parsed.given
    const [route, input] = call(store, parsed.operands[0])
    print(await callAdmin<Shown>({ data }, route, input), json)
    return 0
  },
})

const groupOption = {
  group: {
    type: 'string',
    value: 'NAME',
    about: 'synchronize this group and its people only (repeatable)',
    multiple: true,
  },
} as const

const deletionOption = {
  'allow-deletions': { type: 'boolean', about: 'even when most of the people would be deleted' },
} as const

const none = { names: 'no operand', count: 0 }

export const identitySource = commandGroup({
  name: 'identity-source',
  about: 'Shows or changes where people of IAM Identity Center sign in',
  commands: [
    command('show', 'Shows where people sign in.', none, (store) => ['POST /identity-source/show', { store }]),
    command(
      'saml',
      'People sign in at a SAML provider from now on. Write the directory by SCIM: user names are the subjects.',
      { names: 'the file of the metadata', count: 1 },
      (store, file) => ['POST /identity-source/set', { store, metadata: readFileSync(file!, 'utf8') }],
    ),
    {
      name: 'active-directory',
      operands: 'DIRECTORY',
      about:
        'People of a directory of Directory Service (d-…, Active Directory or LDAP) sign in with its passwords from now on. It is synchronized every five minutes.',
      options: { ...common, ...groupOption },
      async run(words) {
        const options = { ...common, ...groupOption }
        const parsed = parseSubcommand(options, words, { least: 1, most: 1, names: 'the ID of the directory' })
        const { store, json, data, group } = parsed.given
        const input = { store, directory: parsed.operands[0], groups: group }
        print(await callAdmin<Shown>({ data }, 'POST /identity-source/set', input), json)
        return 0
      },
    },
    {
      name: 'sync',
      about: 'Synchronizes the directory now.',
      options: { ...common, ...deletionOption },
      async run(words) {
        const { store, json, data, ...more } = parseSubcommand({ ...common, ...deletionOption }, words).given
        const input = { store, isDeletionAllowed: more['allow-deletions'] === true }
        print(await callAdmin<Shown>({ data }, 'POST /identity-source/sync', input), json)
        return 0
      },
    },
    command('directory', 'People sign in with passwords of the identity store from now on.', none, (store) => [
      'POST /identity-source/set',
      { store },
    ]),
  ],
})
