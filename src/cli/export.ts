/** `merlon export`: what a server has, as a seed without secrets. */
import { writeFileSync } from 'node:fs'
import type { ExportedSeed } from '../server/seed/export-seed.ts'
import { callAdmin } from './admin-client.ts'
import { clientFor, clientOptions } from './client.ts'
import { type Command, readOptions, UsageError } from './command.ts'

const options = {
  data: {
    type: 'string',
    value: 'DIR',
    about: 'Read the installation in DIR (default: a server that runs with --dev)',
  },
  ...clientOptions,
  output: { type: 'string', value: 'FILE', about: 'Write to FILE, which must not exist (default: standard output)' },
  json: { type: 'boolean', about: 'Write JSON (default: YAML)' },
} as const

export const exportCommand: Command = {
  name: 'export',
  about:
    'Writes accounts, identities, keys, secrets and other resources as a seed for merlon start --dev. Values of secrets, passwords, private keys and access keys are left out.',
  options,
  async run(words) {
    const given = readOptions(options, words)
    if (given.data !== undefined && given.endpoint !== undefined)
      throw new UsageError('--data and --endpoint exclude each other.')
    const exported = await read(given)
    const text = given.json ? `${JSON.stringify(exported.seed, null, 2)}\n` : await asYaml(exported)
    if (given.output === undefined) process.stdout.write(text)
    else writeFileSync(given.output, text, { flag: 'wx', mode: 0o600 })
    // In the file's own comment, too, where it is YAML.
    if (given.output !== undefined || given.json)
      for (const sentence of exported.leftOut) process.stderr.write(`Left out: ${sentence}.\n`)
    return 0
  },
}

type Given = ReturnType<typeof readOptions<typeof options>>

async function read(given: Given): Promise<ExportedSeed> {
  const { region, data } = given
  if (data !== undefined) return callAdmin<ExportedSeed>({ data }, 'POST /export', { ...(region && { region }) })
  // The Region of the signature.
  return JSON.parse(await clientFor(given).rest('merlon', 'GET', '/_merlon/export')) as ExportedSeed
}

async function asYaml({ seed, leftOut }: ExportedSeed): Promise<string> {
  const { stringify } = await import('yaml')
  const comments = ['Written by merlon export, without secrets.', ...leftOut.map((each) => `Left out: ${each}.`)]
  return `${comments.map((line) => `# ${line}\n`).join('')}${stringify(seed, { lineWidth: 0 })}`
}
