/** `merlon unseal`: sends shares or a passphrase from their holders to a sealed server. */
import { callServer } from '../server/admin/admin-socket.ts'
import type { Progress } from '../server/admin/unseal-attempts.ts'
import { InstallationError } from '../server/compose/installation.ts'
import { dataOption } from './admin-client.ts'
import { type Command, readOptions } from './command.ts'
import { promptSecrets } from './secrets.ts'

const options = {
  ...dataOption,
  nonce: {
    type: 'string',
    value: 'NONCE',
    about: 'the nonce of the attempt to continue, as shown after the first share',
  },
  cancel: { type: 'boolean', about: 'forget the shares entered so far' },
  'accept-rollback': {
    type: 'boolean',
    about: 'serve data that is older than the last recorded state; this is recorded in the audit log',
  },
} as const

interface Answer {
  readonly state: string
  readonly progress?: Progress
  readonly reasons?: readonly string[]
  readonly needed?: readonly { readonly kind: string; readonly threshold?: number }[]
}

/** What could be a share, where a passphrase would do as well. */
const SHARE = /^[\s0-9A-Za-z-]{70,120}$/

/** Not failed, but not unsealed: other people have shares to bring. */
const MORE_NEEDED = 3

export const unseal: Command = {
  name: 'unseal',
  about:
    'Unseals a running server: by itself where it can, else with a passphrase or shares, typed or one a line on standard input. Exit status 0 when it is unsealed, 3 while more shares are needed.',
  options,
  async run(words) {
    const { data = '.merlon', nonce, cancel, 'accept-rollback': acceptRollback = false } = readOptions(options, words)
    const send = async (input: object, route = 'POST /unseal'): Promise<Answer> => {
      const response = await callServer(data, { route, input: { acceptRollback, ...input } })
      if (!response)
        throw new InstallationError(
          `No server runs on ${data}. Start it first: merlon start --data ${data}`,
          'MERLON_NOT_RUNNING',
        )
      return response as Answer
    }
    if (cancel) {
      await send({}, 'POST /unseal/cancel')
      return 0
    }

    let answer = await send({})
    if (answer.state === 'sealed') {
      for (const reason of answer.reasons ?? []) process.stderr.write(`${reason}\n`)
      const kinds = new Set((answer.needed ?? []).map(({ kind }) => kind))
      if (kinds.size === 0) return 1
      const question = () => (kinds.has('shamir') ? `Share ${(answer.progress?.given ?? 0) + 1}` : 'Passphrase')
      await promptSecrets(question, async (secret) => {
        const isShare = kinds.has('shamir') && (SHARE.test(secret) || !kinds.has('passphrase'))
        answer = await send(isShare ? { share: secret, nonce } : { passphrase: secret })
        if (answer.progress) process.stdout.write(progressLine(answer.progress))
        return answer.state !== 'sealed'
      })
    }
    if (answer.state === 'sealed') return MORE_NEEDED
    process.stdout.write(`Merlon is ${answer.state}.\n`)
    return 0
  },
}

const progressLine = ({ share, given, threshold, nonce, expiresAt }: Progress): string =>
  given < threshold
    ? `Share ${share} is right: ${given} of ${threshold}. Go on until ${new Date(expiresAt).toISOString()} (nonce ${nonce}).\n`
    : `Share ${share} is right: ${given} of ${threshold}.\n`
