/** `merlon sealer …`: the ways to open the root key: which there are, whether they work, others, fewer. */
import type { Progress } from '../server/admin/unseal-attempts.ts'
import { callAdmin, type InstallationOptions, placeOptions } from './admin-client.ts'
import { type Command, operandsOf, readOptions, UsageError, usage } from './command.ts'
import { newPassphrase, promptSecrets } from './secrets.ts'
import { showShares } from './shares.ts'

const options = {
  ...placeOptions,
  'key-file': {
    type: 'string',
    value: 'FILE',
    about: 'file: where to create the key; outside the data directory, e.g. on a mount',
  },
  shares: { type: 'string', value: 'N', about: 'shamir: how many shares (default 5)' },
  threshold: { type: 'string', value: 'K', about: 'shamir: how many of them open it (default 3)' },
  module: { type: 'string', value: 'LIBRARY', about: 'pkcs11: the library of the token; its PIN is MERLON_PKCS11_PIN' },
  token: { type: 'string', value: 'LABEL', about: 'pkcs11: the label of the token' },
  'key-id': { type: 'string', value: 'ARN', about: 'kms: the key; credentials are MERLON_KMS_ACCESS_KEY_ID, …' },
  region: { type: 'string', value: 'REGION', about: 'kms: its Region (default us-east-1)' },
  endpoint: { type: 'string', value: 'URL', about: 'kms: of AWS (default) or of another Merlon' },
  json: { type: 'boolean', about: 'for programs' },
} as const
type Given = ReturnType<typeof readOptions<typeof options>>

interface Shown {
  readonly id: string
  readonly kind: string
  readonly threshold?: number
  readonly testedAt?: string
}

const about = 'list; add file|passphrase|shamir|pkcs11|kms; test ID; remove ID. Any one sealer opens the root key.'

export const sealer: Command = {
  name: 'sealer',
  about,
  options,
  verbs: ['list', 'add', 'test', 'remove'],
  help: () => usage([{ ...sealer, name: 'sealer list | add KIND | test ID | remove ID' }]),
  async run(words) {
    const [[verb, operand], rest] = operandsOf(words)
    const given = readOptions(options, rest)
    const print = (value: object, text: string) =>
      void process.stdout.write(given.json ? `${JSON.stringify(value)}\n` : `${text}\n`)
    switch (verb) {
      case 'list': {
        const response = await callAdmin<{ sealers: readonly Shown[] }>(given, 'GET /sealers')
        print(response, response.sealers.map(line).join('\n'))
        return 0
      }
      case 'add': {
        if (!operand) throw new UsageError(`Missing sealer kind: ${about}`)
        const response = await callAdmin<{ sealer: Shown; shares?: readonly string[] }>(given, 'POST /sealers', {
          ...(await asInput(operand, given)),
        })
        if (response.shares) showShares(response.shares, response.sealer.threshold ?? 0, given.json ?? false)
        print(response.shares ? { sealer: response.sealer } : response, `Added ${line(response.sealer)}`)
        return 0
      }
      case 'test': {
        if (!operand) throw new UsageError('Missing sealer ID: merlon sealer test ID')
        return testSealer(given, operand, print)
      }
      case 'remove': {
        if (!operand) throw new UsageError('Missing sealer ID: merlon sealer remove ID')
        print(await callAdmin(given, 'POST /sealers/remove', { id: operand }), `Sealer ${operand} is gone.`)
        return 0
      }
      default:
        throw new UsageError(`merlon sealer ${about}`)
    }
  },
}

/** Unlocks the root key with that sealer alone, and prompts for its secret. */
export async function testSealer(
  place: InstallationOptions,
  id: string,
  print: (value: object, text: string) => void,
): Promise<number> {
  const { sealers } = await callAdmin<{ sealers: readonly Shown[] }>(place, 'GET /sealers')
  const kind = sealers.find((each) => each.id === id)?.kind
  let response: { tested?: string; progress?: Progress } = {}
  if (kind === 'shamir' || kind === 'passphrase') {
    const question = () => (kind === 'shamir' ? `Share ${(response.progress?.given ?? 0) + 1}` : 'Passphrase')
    await promptSecrets(question, async (secret) => {
      const nonce = response.progress?.nonce
      response = await callAdmin(place, 'POST /sealers/test', {
        id,
        [kind === 'shamir' ? 'share' : kind]: secret,
        nonce,
      })
      return response.tested !== undefined
    })
  } else response = await callAdmin(place, 'POST /sealers/test', { id })
  print(response, response.tested ? `Sealer ${id} opens the root key.` : 'More shares are needed.')
  return response.tested ? 0 : 3
}

async function asInput(kind: string, given: Given): Promise<object> {
  switch (kind) {
    case 'passphrase':
      return { kind, passphrase: await newPassphrase() }
    case 'file':
      if (given['key-file'] === undefined) throw new UsageError('Missing option: --key-file FILE')
      return { kind, path: given['key-file'] }
    case 'kms': {
      const region = given.region ?? 'us-east-1'
      const endpoint = given.endpoint ?? `https://kms.${region}.amazonaws.com`
      return { kind, keyId: given['key-id'], region, endpoint }
    }
    default:
      return { kind, shares: given.shares, threshold: given.threshold, module: given.module, token: given.token }
  }
}

const line = ({ id, kind, testedAt }: Shown): string => `${id}  ${kind.padEnd(10)}  last tested ${testedAt ?? 'never'}`
