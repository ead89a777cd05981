/** `merlon backup`: an encrypted copy while work goes on; `merlon backup verify`: proof that it is good. */
import { resolve } from 'node:path'
import { callAdmin, placeOptions } from './admin-client.ts'
import { type Command, operandsOf, readOptions, UsageError, usage } from './command.ts'

const options = {
  ...placeOptions,
  keyring: {
    type: 'string',
    value: 'FILE',
    about: 'where the keyring goes, or is (default: merlon.keyring beside FILE)',
  },
  drill: { type: 'boolean', about: 'verify: restore it aside and open a value of every account, and every object' },
  json: { type: 'boolean', about: 'for programs' },
} as const

interface BackupResult {
  readonly file: string
  readonly keyring: string
  readonly bytes: number
  readonly createdAt: string
  readonly accounts: number
  readonly erased?: readonly string[]
  readonly objects?: number
  readonly objectsOpened?: number
}

export const backup: Command = {
  name: 'backup',
  about:
    'FILE: an encrypted backup of the database and the objects, and beside it the keyring, which no backup opens without. verify FILE: reads every byte of one.',
  options,
  verbs: ['verify'],
  help: () => usage([{ ...backup, name: 'backup FILE | verify FILE' }]),
  async run(words) {
    const [operands, rest] = operandsOf(words)
    const place = readOptions(options, rest)
    const { keyring, drill = false, json } = place
    const verify = operands[0] === 'verify'
    const [file, ...more] = verify ? operands.slice(1) : operands
    if (file === undefined || more.length > 0) throw new UsageError('merlon backup FILE, or merlon backup verify FILE')
    const input = { file: resolve(file), ...(keyring !== undefined && { keyring: resolve(keyring) }) }
    const result = await callAdmin<BackupResult>(
      place,
      verify ? 'POST /backup/verify' : 'POST /backup',
      verify ? { ...input, drill } : input,
    )
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${verify ? verified(result, drill) : made(result)}\n`)
    return 0
  },
}

const made = ({ file, keyring, objects = 0 }: BackupResult): string =>
  `${file} is written, with ${objects} objects. It opens with ${keyring}: keep that one on another disk, and only the newest.`

const verified = ({ createdAt, accounts, erased, objects, objectsOpened }: BackupResult, drill: boolean): string =>
  [
    drill
      ? `The backup of ${createdAt} was restored aside: ${accounts} accounts open${erased?.length ? `, ${erased.length} are erased` : ''}.`
      : `The backup of ${createdAt} is whole: ${accounts} accounts.`,
    ...(objects ? [drill ? `${objectsOpened} objects open.` : `${objects} objects.`] : [WITHOUT_OBJECTS]),
  ].join(' ')

/** Written by an earlier version, or by an installation whose objects are stored elsewhere. */
export const WITHOUT_OBJECTS = 'It holds no objects: bytes that are stored elsewhere come back from there.'
