/** `merlon store copy`: an installation, whole, into a folder or a database; verified by its hash. */
import { resolve } from 'node:path'
import { callAdmin, placeOptions } from '../admin-client.ts'
import { UsageError } from '../command.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  ...placeOptions,
  'to-data': { type: 'string', value: 'DIR', about: 'into an empty folder, for one node on SQLite' },
  'to-store': {
    type: 'string',
    value: 'URL',
    about: 'into an empty database (better in MERLON_TO_STORE: others see this line)',
  },
  json: { type: 'boolean', about: 'for programs' },
} as const

interface CopyResult {
  readonly revision: number
  readonly sha256: string
  readonly objects: number
}

export const copyCommand: SubCommand = {
  name: 'copy',
  about:
    'Copies all documents, events, objects and the keyring, and reads them back. What is written meanwhile is not in the copy: stop the servers first, unless you only try.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words, { least: 0, most: 0, names: '' })
    const data = given['to-data']
    const store = given['to-store'] ?? process.env['MERLON_TO_STORE']
    if ((data === undefined) === (store === undefined))
      throw new UsageError('merlon store copy --to-data DIR, or --to-store URL')
    const passwordFile = process.env['MERLON_TO_STORE_PASSWORD_FILE']
    const result = await callAdmin<CopyResult>(given, 'POST /store/copy', {
      ...(data !== undefined && { data: resolve(data) }),
      ...(store !== undefined && { store, ...(passwordFile !== undefined && { passwordFile: resolve(passwordFile) }) }),
    })
    process.stdout.write(given.json ? `${JSON.stringify(result)}\n` : shown(result))
    return 0
  },
}

const shown = ({ revision, sha256, objects }: CopyResult): string =>
  `Copied and read back: revision ${revision}, ${objects} objects, content ${sha256}.\n`
