/** `merlon init`: makes an installation without starting it. */
import { newSealer } from '../server/admin/admin-api.ts'
import { firstAccount } from '../server/compose/first-account.ts'
import { InstallationError, isInstalled } from '../server/compose/installation.ts'
import { setRootSignIn } from '../server/compose/root-sign-in.ts'
import { openCustody, storeOptions } from './admin-client.ts'
import { type Command, readOptions, UsageError } from './command.ts'
import { checkProfile, keyAsJson, shownKey, writeProfile } from './root-key.ts'
import { newPassphrase, promptSecretsInOrder } from './secrets.ts'
import { showShares } from './shares.ts'

const options = {
  data: { type: 'string', value: 'DIR', about: 'the folder to make (required)' },
  ...storeOptions,
  sealer: { type: 'string', value: 'KIND', about: 'what opens the root key: file (default), shamir or passphrase' },
  shares: { type: 'string', value: 'N', about: 'hand the root key out in N shares (default 5)' },
  threshold: { type: 'string', value: 'K', about: 'of which any K open it (default 3)' },
  passphrase: {
    type: 'boolean',
    about: 'the same as --sealer passphrase; it is prompted for, or read from standard input',
  },
  account: { type: 'string', value: 'ID', about: 'twelve digits (default: at random)' },
  'root-email': {
    type: 'string',
    value: 'ADDRESS',
    about: 'the root user signs in with it and a password, which is prompted for, or the last line of standard input',
  },
  profile: { type: 'string', value: 'NAME', about: 'also write an AWS profile of this name' },
  endpoint: { type: 'string', value: 'URL', about: "the profile's endpoint (default http://127.0.0.1:4566)" },
  json: { type: 'boolean', about: 'for programs' },
} as const

export const init: Command = {
  name: 'init',
  about: 'Creates an installation: a data directory, a root key, an account. Shows the root access key once.',
  options,
  async run(words) {
    const given = readOptions(options, words)
    const { data, account, profile, endpoint = 'http://127.0.0.1:4566', json } = given
    if (data === undefined) throw new UsageError('Missing option: merlon init --data DIR')
    if (profile !== undefined) checkProfile(profile)
    const kind = kindOf(given)
    if (isInstalled(data)) {
      throw new InstallationError(
        `${data} is an installation already, and its root key is not shown twice.`,
        'MERLON_ALREADY_INITIALIZED',
      )
    }
    const email = given['root-email']
    const { passphrase, password } = await newSecrets(kind === 'passphrase', email !== undefined)
    const input = {
      kind,
      ...(passphrase !== undefined && { passphrase }),
      ...(given.shares !== undefined && { shares: given.shares }),
      ...(given.threshold !== undefined && { threshold: given.threshold }),
    }
    const custody = await openCustody(
      given,
      kind === 'file'
        ? { only: 'new' }
        : {
            only: 'new',
            first: async (installId) => {
              const at = { data, environment: process.env, body: () => ({ installId }) }
              const { sealer, shares } = await newSealer(at, input)
              // Before anything is on disk: shares that were never shown must not be the only way to unseal.
              if (shares) showShares(shares, Number(given.threshold ?? 3), json ?? false)
              return sealer
            },
          },
    )
    await custody.unsealAutomatically()
    const { cloud } = custody.unsealed()
    const [made] = await firstAccount(cloud, account)
    if (email !== undefined) await setRootSignIn(cloud, { account: made!.accountId, email, password: password! })
    await custody.close()

    if (profile !== undefined) writeProfile(profile, made!, endpoint)
    process.stdout.write(
      json ? `${JSON.stringify(keyAsJson(made!))}\n` : shownKey(made!) + next(data, profile, endpoint),
    )
    return 0
  },
}

interface NewSecrets {
  readonly passphrase?: string | undefined
  readonly password?: string | undefined
}

/** On standard input a line each: the passphrase first. */
async function newSecrets(withPassphrase: boolean, withPassword: boolean): Promise<NewSecrets> {
  if (withPassphrase && !withPassword) return { passphrase: await newPassphrase() }
  if (!withPassword) return {}
  const questions = [...(withPassphrase ? ['New passphrase'] : []), 'Password of the root user']
  const answers = await promptSecretsInOrder(questions)
  return { passphrase: withPassphrase ? answers[0] : undefined, password: answers.at(-1) }
}

const KINDS = ['file', 'shamir', 'passphrase'] as const

function kindOf(given: ReturnType<typeof readOptions<typeof options>>): (typeof KINDS)[number] {
  const shares = given.shares !== undefined || given.threshold !== undefined
  const implied = [...(shares ? ['shamir'] : []), ...(given.passphrase ? ['passphrase'] : [])]
  const kinds = [...new Set([...(given.sealer === undefined ? [] : [given.sealer]), ...implied])]
  if (kinds.length > 1) throw new UsageError(`One sealer to begin with, not ${kinds.join(' and ')}: add others later.`)
  const kind = KINDS.find((known) => known === (kinds[0] ?? 'file'))
  if (!kind) throw new UsageError(`--sealer is ${KINDS.join(', ')}, not '${kinds[0]}'. Others: merlon sealer add`)
  return kind
}

function next(data: string, profile: string | undefined, endpoint: string): string {
  const aws = profile === undefined ? `AWS_ENDPOINT_URL=${endpoint} aws` : `aws --profile ${profile}`
  return `Next:\n  merlon start --data ${data}\n  ${aws} sts get-caller-identity\n`
}
