/** `merlon credentials serve`: the endpoints where SDKs look for the credentials of a container or an instance. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { programOf, runProgram } from '../child.ts'
import { regionFor } from '../client.ts'
import { portOf } from '../command.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'
import { credentialEndpoint } from './endpoint.ts'
import { renewing, sessionOptions, sessionSource } from './session.ts'

const options = {
  ...sessionOptions,
  port: { type: 'string', value: 'PORT', about: 'on 127.0.0.1 (default: any that is free)' },
  imds: { type: 'boolean', about: 'answer as instance metadata service (IMDSv2), to every process of this machine' },
} as const

export const serveCommand: SubCommand = {
  name: 'serve',
  operands: '[-- PROGRAM …]',
  about: 'Serves credentials to programs on this machine, for as long as it runs, or to the one program behind --.',
  options,
  async run(words) {
    const [own, program] = programOf(words)
    const { given } = parseSubcommand(options, own)
    const session = renewing(sessionSource(given))
    // A role that cannot be assumed is reported now, not to the first workload.
    await session()
    const region = regionFor(given)
    const endpoint = credentialEndpoint({ session, region, imds: given.imds ?? false })
    const server = createServer((request, response) => void endpoint.handle(request, response))
    server.listen(portOf(given.port, 0), '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const variables = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: url + endpoint.path,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: endpoint.token,
      ...(given.imds && { AWS_EC2_METADATA_SERVICE_ENDPOINT: url }),
    }
    try {
      if (program) return await runProgram(program, { ...withoutKeys(process.env), ...variables })
      for (const [name, value] of Object.entries(variables)) process.stdout.write(`${name}=${value}\n`)
      await new Promise<void>((stop) => {
        for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop)
      })
      return 0
    } finally {
      server.close()
      server.closeAllConnections()
    }
  },
}

/** The program gets the role's credentials, not those that requested them, which SDKs would look at first. */
function withoutKeys(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const hidden = new Set(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'])
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.has(name)))
}
