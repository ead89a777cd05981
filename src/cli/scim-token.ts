/** `merlon scim-token`: tokens with which an identity provider writes a directory by SCIM. */
import type { ShownScimToken } from '../server/directory-operator.ts'
import { callAdmin, placeOptions } from './admin-client.ts'
import { type Command, operandsOf, readOptions, UsageError, usage } from './command.ts'

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

const about = 'Creates a token for SCIM, valid for a year and shown this once; list; delete ID.'

export const scimToken: Command = {
  name: 'scim-token',
  about,
  options,
  verbs: ['list', 'delete'],
  help: () => usage([{ ...scimToken, name: 'scim-token [list | delete ID]' }]),
  async run(words) {
    const [[verb, token], rest] = operandsOf(words)
    const { store, json, ...place } = readOptions(options, rest)
    const print = (value: object, text: string) =>
      void process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`)
    switch (verb) {
      case undefined: {
        const made = await callAdmin<Made>(place, 'POST /scim-token', { store })
        const { path, expires } = made
        print(
          made,
          `SCIM endpoint, below the address of the API: ${path}\nAccess token, until ${expires}:\n${made.token}`,
        )
        return 0
      }
      case 'list': {
        const listed = await callAdmin<{ store: string; tokens: readonly ShownScimToken[] }>(
          place,
          'POST /scim-token/list',
          { store },
        )
        const lines = listed.tokens.map(
          ({ id, created, expires, isExpired }) =>
            `${id} created ${created}, ${isExpired ? 'expired' : 'valid until'} ${expires}`,
        )
        print(listed, lines.length > 0 ? lines.join('\n') : `The identity store ${listed.store} has no tokens.`)
        return 0
      }
      case 'delete': {
        if (!token) throw new UsageError('Missing token ID: merlon scim-token delete ID')
        print(await callAdmin(place, 'POST /scim-token/delete', { store, token }), `Token ${token} is deleted.`)
        return 0
      }
      default:
        throw new UsageError(`merlon scim-token: ${about}`)
    }
  },
}
