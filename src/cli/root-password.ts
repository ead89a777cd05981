/** `merlon root-password`: gives the root user of an account an e-mail address and a password to sign in with. */
import { callAdmin, placeOptions } from './admin-client.ts'
import { type Command, readOptions, UsageError } from './command.ts'
import { promptSecret } from './secrets.ts'

const options = {
  ...placeOptions,
  account: { type: 'string', value: 'ID', about: 'whose root user (default: the first account)' },
  email: { type: 'string', value: 'ADDRESS', about: 'the root user signs in with it (required)' },
  json: { type: 'boolean', about: 'for programs' },
} as const

export const rootPassword: Command = {
  name: 'root-password',
  about:
    'Sets the e-mail address and the password of a root user. Prompts for the password, or reads it from standard input.',
  options,
  async run(words) {
    const { email, account, json, ...place } = readOptions(options, words)
    if (email === undefined) throw new UsageError('Missing option: --email ADDRESS')
    const password = await promptSecret('Password of the root user')
    const answer = await callAdmin<{ account: string }>(place, 'POST /root-password', { email, account, password })
    process.stdout.write(
      json
        ? `${JSON.stringify(answer)}\n`
        : `The root user of account ${answer.account} can sign in as ${email}. Its earlier sign-ins have ended.\n`,
    )
    return 0
  },
}
