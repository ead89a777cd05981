/** `merlon scim-token`: a token with which an identity provider writes a directory by SCIM. */
import { callAdmin, placeOptions } from './admin-client.ts'
import { type Command, readOptions } from './command.ts'

const options = {
  ...placeOptions,
  store: { type: 'string', value: 'ID', about: 'the identity store, d-… (default: the only one)' },
  json: { type: 'boolean', about: 'for programs' },
} as const

interface Made {
  readonly path: string
  readonly token: string
  readonly expires: string
}

export const scimToken: Command = {
  name: 'scim-token',
  about: 'Creates a token for SCIM, valid for a year. It is shown this once.',
  options,
  async run(words) {
    const { store, json, ...place } = readOptions(options, words)
    const made = await callAdmin<Made>(place, 'POST /scim-token', { store })
    process.stdout.write(
      json
        ? `${JSON.stringify(made)}\n`
        : `SCIM endpoint, below the address of the API: ${made.path}\nAccess token, until ${made.expires}:\n${made.token}\n`,
    )
    return 0
  },
}
