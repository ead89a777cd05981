/** `merlon dev social-idp`: an imitation of Google, Apple, Facebook, Amazon, LinkedIn, X and Microsoft sign-in. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connectors } from '../../engines/oidc/connectors.ts'
import { UsageError } from '../command.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  port: { type: 'string', value: 'PORT', about: 'on 127.0.0.1 (default: 4580)' },
  'client-secret': { type: 'string', value: 'SECRET', about: 'that clients must send (default: secret)' },
  'apple-public-key': { type: 'string', value: 'FILE', about: 'PEM, verifies the client secrets of Apple sign-in' },
} as const

const PORT_DEFAULT = 4580

export const socialIdpCommand: SubCommand = {
  name: 'social-idp',
  about: 'Imitate social identity providers on a loopback port, for tests and offline work',
  options,
  run: async (words) => {
    const { given } = parseSubcommand(options, words)
    const port = Number(given.port ?? PORT_DEFAULT)
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new UsageError(`--port ${given.port} is not a port number from 0 to 65535.`)
    const keyFile = given['apple-public-key']
    const { socialIdp } = await import('../../planes/social-idp/social-idp.ts')
    const server = await socialIdp({
      port,
      ...(given['client-secret'] !== undefined && { clientSecret: given['client-secret'] }),
      ...(keyFile !== undefined && { applePublicKey: readFileSync(keyFile, 'utf8') }),
    })
    for (const id of Object.keys(connectors)) process.stdout.write(`${server.url}/${id}\n`)
    await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
    await server.close()
    return 0
  },
}
