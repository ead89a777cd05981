/** `merlon portal-password`: gives a person of IAM Identity Center a password to sign in to the access portal with. */
import { callAdmin, placeOptions } from './admin-client.ts'
import { type Command, readOptions, UsageError } from './command.ts'
import { promptSecret } from './secrets.ts'

const options = {
  ...placeOptions,
  user: { type: 'string', value: 'NAME', about: 'the user name in the identity store (required)' },
  store: { type: 'string', value: 'ID', about: 'the identity store, d-… (default: the only one)' },
  'one-time': { type: 'boolean', about: 'must be replaced at the first sign-in' },
  json: { type: 'boolean', about: 'for programs' },
} as const

export const portalPassword: Command = {
  name: 'portal-password',
  about:
    'Sets the password of a user of IAM Identity Center. Prompts for the password, or reads it from standard input.',
  options,
  async run(words) {
    const { user, store, json, 'one-time': oneTime, ...place } = readOptions(options, words)
    if (user === undefined) throw new UsageError('Missing option: --user NAME')
    const password = await promptSecret('Password of the user')
    const input = { user, store, password, oneTime: oneTime === true }
    const answer = await callAdmin<{ store: string }>(place, 'POST /portal-password', input)
    process.stdout.write(
      json
        ? `${JSON.stringify(answer)}\n`
        : `${user} can sign in to the access portal of ${answer.store}. Earlier sign-ins have ended.\n`,
    )
    return 0
  },
}
