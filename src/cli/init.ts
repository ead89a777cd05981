/** `merlon init`: makes an installation without starting it. */
import { systemClock } from '../kernel/clock.ts'
import { openCloud } from '../server/cloud.ts'
import { InstallationError, isInstalled, openInstallation } from '../server/installation.ts'
import { firstAccount } from '../server/server.ts'
import { type Command, readOptions, UsageError } from './command.ts'
import { checkProfile, keyAsJson, shownKey, writeProfile } from './credentials.ts'

const options = {
  data: { type: 'string', value: 'DIR', about: 'the folder to make (required)' },
  account: { type: 'string', value: 'ID', about: 'twelve digits (default: at random)' },
  profile: { type: 'string', value: 'NAME', about: 'also write an AWS profile of this name' },
  endpoint: { type: 'string', value: 'URL', about: "the profile's endpoint (default http://127.0.0.1:4566)" },
  json: { type: 'boolean', about: 'for programs' },
} as const

export const init: Command = {
  name: 'init',
  about: 'Makes an installation: a data folder, a root key, an account. Shows the root access key once.',
  options,
  async run(words) {
    const { data, account, profile, endpoint = 'http://127.0.0.1:4566', json } = readOptions(options, words)
    if (data === undefined) throw new UsageError('Say where: merlon init --data DIR')
    if (profile !== undefined) checkProfile(profile)
    if (isInstalled(data)) {
      throw new InstallationError(`${data} is an installation already, and its root key is not shown twice.`)
    }
    const { store, unsealed } = await openInstallation(data)
    const cloud = await openCloud({ store, unsealed, clock: systemClock })
    const [made] = await firstAccount(cloud, account)
    await cloud.close()

    if (profile !== undefined) writeProfile(profile, made!, endpoint)
    process.stdout.write(
      json ? `${JSON.stringify(keyAsJson(made!))}\n` : shownKey(made!) + next(data, profile, endpoint),
    )
    return 0
  },
}

function next(data: string, profile: string | undefined, endpoint: string): string {
  const aws = profile === undefined ? `AWS_ENDPOINT_URL=${endpoint} aws` : `aws --profile ${profile}`
  return `Next:\n  merlon start --data ${data}\n  ${aws} sts get-caller-identity\n`
}
