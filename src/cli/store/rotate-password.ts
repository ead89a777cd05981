/** `merlon store rotate-password`: the database gets a new password for Merlon's own role. */
import { rmSync } from 'node:fs'
import { scramVerifier } from '../../planes/functions/rotators/scram.ts'
import { asOperatorError } from '../../server/compose/operator-errors.ts'
import { shownStore } from '../../server/compose/storage.ts'
import { hostUrls } from '../../store/postgres/url.ts'
import { replaceFile } from '../../vault/durable-file.ts'
import { UsageError } from '../command.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  store: {
    type: 'string',
    value: 'URL',
    about: 'postgres://USER@HOST/DATABASE (default: MERLON_STORE), without a password',
  },
  'password-file': { type: 'string', value: 'FILE', about: 'holds the password (default: MERLON_STORE_PASSWORD_FILE)' },
} as const

export const rotatePasswordCommand: SubCommand = {
  name: 'rotate-password',
  about:
    'Makes a new password, which the file and the database then know. Nodes that run read the file for each connection.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words, { least: 0, most: 0, names: '' })
    const url = given.store ?? process.env['MERLON_STORE']
    const passwordFile = given['password-file'] ?? process.env['MERLON_STORE_PASSWORD_FILE']
    if (!url || !passwordFile || !isWithoutPassword(url))
      throw new UsageError('merlon store rotate-password --store postgres://USER@HOST/DATABASE --password-file FILE')
    const { rotatePassword } = await import('../../store/postgres/password.ts')
    await rotatePassword(
      { url, passwordFile },
      { replace: replaceFile, remove: (file) => rmSync(file), verifier: (password) => scramVerifier(password) },
    ).catch((error: unknown) => {
      throw asOperatorError(error, { store: shownStore(url) }) ?? error
    })
    process.stdout.write(`The database knows the new password in ${passwordFile}, and no longer the old one.\n`)
    return 0
  },
}

function isWithoutPassword(url: string): boolean {
  try {
    return new URL(hostUrls(url)[0]).password === ''
  } catch {
    return false
  }
}
