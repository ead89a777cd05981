/** `merlon restore`: a backup into an empty folder, where it waits, fenced, until it is activated. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { shownSealer } from '../server/admin/shown-sealer.ts'
import { UnsealAttempts } from '../server/admin/unseal-attempts.ts'
import { InstallationError } from '../server/compose/installation.ts'
import { besideBackup } from '../server/trust/backup.ts'
import { restore as restoreBackup } from '../server/trust/restore.ts'
import { automaticSeed, isAutomatic } from '../server/trust/sealers.ts'
import { Keyring } from '../vault/keyring.ts'
import { type KeyringBody, keyringFile, readKeyring } from '../vault/keyring-file.ts'
import { openRootKey } from '../vault/sealer.ts'
import { passphraseSeed } from '../vault/sealers/passphrase.ts'
import { callAdmin, folderOf, placeOptions } from './admin-client.ts'
import { WITHOUT_OBJECTS } from './backup.ts'
import { type Command, operandsOf, readOptions, UsageError, usage } from './command.ts'
import { promptSecrets } from './secrets.ts'

const options = {
  ...placeOptions,
  keyring: { type: 'string', value: 'FILE', about: 'the newest keyring (default: merlon.keyring beside FILE)' },
  'key-file': {
    type: 'string',
    value: 'FILE',
    about: 'the key of the file sealer (default: root.key in the data directory)',
  },
  activate: {
    type: 'boolean',
    about: 'instead of restoring: lets a restored copy work by itself; stop the other one first',
  },
  'accept-rollback': { type: 'boolean', about: 'use a keyring that is older than the backup' },
  json: { type: 'boolean', about: 'for programs' },
} as const

export const restore: Command = {
  name: 'restore',
  about: 'FILE: restores a backup into an empty data directory, fenced: it answers, but runs no jobs until --activate.',
  options,
  help: () => usage([{ ...restore, name: 'restore FILE | restore --activate' }]),
  async run(words) {
    const [[operand], rest] = operandsOf(words)
    const given = readOptions(options, rest)
    const data = folderOf(given)
    const print = (value: object, text: string) =>
      void process.stdout.write(given.json ? `${JSON.stringify(value)}\n` : `${text}\n`)
    if (given.activate) {
      print(await callAdmin(given, 'POST /activate'), `${data} is active.`)
      return 0
    }
    if (operand === undefined) throw new UsageError('Missing backup file: merlon restore FILE')

    if (given.store !== undefined)
      throw new UsageError('A backup is restored into a folder; from there its data can be copied into a database.')
    const file = resolve(operand)
    const place = given.keyring ?? besideBackup(file)
    if (!existsSync(file))
      throw new InstallationError(`${file} does not exist. Name a backup: merlon restore FILE`, 'MERLON_FILE_MISSING')
    const read = readKeyring(place)
    if (!read)
      throw new InstallationError(
        `${place} is missing: without the keyring no backup opens. Name it: --keyring FILE`,
        'MERLON_KEYRING_MISSING',
      )
    const keyring = Keyring.unseal(keyringFile(place), read, await rootKeyOf(read.body, data, given['key-file']))
    try {
      const acceptRollback = given['accept-rollback'] ?? false
      const outcome = await restoreBackup(file, keyring, data, { acceptRollback })
      print(
        outcome,
        `${data} holds the state of ${outcome.createdAt}, fenced.${outcome.objects ? '' : ` ${WITHOUT_OBJECTS}`} Start it, look, then: merlon restore --activate`,
      )
      return 0
    } finally {
      keyring.wipe()
    }
  },
}

/** By any sealer: automatic ones first, then with what people enter. */
async function rootKeyOf(body: KeyringBody, data: string, keyFile: string | undefined): Promise<Buffer> {
  const environment = { ...process.env, ...(keyFile !== undefined && { MERLON_KEY_FILE: keyFile }) }
  for (const sealer of body.sealers.filter(isAutomatic)) {
    try {
      return openRootKey(body, sealer, await automaticSeed({ data, environment }, body, sealer))
    } catch (error) {
      process.stderr.write(`${(error as Error).message}\n`)
    }
  }
  const entries = new UnsealAttempts(Date.now)
  const people = body.sealers.filter((sealer) => !isAutomatic(sealer))
  const sealer = people.find(({ settings }) => settings.kind === 'shamir') ?? people[0]
  if (!sealer)
    throw new InstallationError(
      'no sealer of this keyring unlocks the root key here. Name the key file: --key-file FILE',
      'MERLON_SEALER_UNAVAILABLE',
    )
  let rootKey: Buffer | undefined
  let given = 0
  const { settings } = sealer
  await promptSecrets(
    () => (settings.kind === 'shamir' ? `Share ${given + 1} of ${settings.threshold}` : 'Passphrase'),
    async (secret) => {
      if (settings.kind === 'passphrase') rootKey = openRootKey(body, sealer, await passphraseSeed(settings, secret))
      else {
        const { seed, progress } = await entries.add(body.installId, sealer, secret, undefined)
        given = progress.given
        if (seed) rootKey = openRootKey(body, sealer, seed)
      }
      return rootKey !== undefined
    },
  )
  if (!rootKey)
    throw new InstallationError(
      `Sealer ${JSON.stringify(shownSealer(sealer))} needs more than was entered.`,
      'MERLON_SEALER_UNAVAILABLE',
    )
  return rootKey
}
