/** `merlon identity-source …`: where the people of IAM Identity Center sign in, which AWS configures in its console only. */
import { readFileSync } from 'node:fs'
import { callAdmin, dataOption } from './admin-client.ts'
import { commandGroup } from './group.ts'
import { parseSubcommand, type SubCommand } from './subcommand.ts'

interface Shown {
  readonly store: string
  readonly source: 'SAML' | 'DIRECTORY'
  readonly issuer?: string
  readonly path: string
}

const common = {
  ...dataOption,
  store: { type: 'string', value: 'ID', about: 'the identity store, d-… (default: the only one)' },
  json: { type: 'boolean', about: 'for programs' },
} as const

function print(shown: Shown, isJson: boolean | undefined): void {
  const { store, source, issuer, path } = shown
  const lines = [
    source === 'SAML'
      ? `People of ${store} sign in at the SAML provider ${issuer}.`
      : `People of ${store} sign in with passwords of the directory.`,
    `Entity ID and metadata for a SAML provider, below the web address: ${path}`,
  ]
  process.stdout.write(isJson ? `${JSON.stringify(shown)}\n` : `${lines.join('\n')}\n`)
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
    command('directory', 'People sign in with passwords of the directory from now on.', none, (store) => [
      'POST /identity-source/set',
      { store },
    ]),
  ],
})
