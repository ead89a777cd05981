/** `merlon credentials process`: one answer, in the form of `credential_process`. */
import { parseSubcommand, type SubCommand } from '../subcommand.ts'
import { sessionOptions, sessionSource } from './session.ts'

/** Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
export const processCommand: SubCommand = {
  name: 'process',
  about: 'Prints temporary credentials as JSON, for credential_process in an AWS profile.',
  options: sessionOptions,
  async run(words) {
    const session = await sessionSource(parseSubcommand(sessionOptions, words).given)()
    const answer = {
      Version: 1,
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: session.expiration,
      ...(session.accountId !== undefined && { AccountId: session.accountId }),
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
    return 0
  },
}
