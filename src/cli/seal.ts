/** `merlon seal`: takes the keys out of a running server's memory, at once. */
import { callServer } from '../server/admin/admin-socket.ts'
import { InstallationError } from '../server/compose/installation.ts'
import { dataOption } from './admin-client.ts'
import { type Command, readOptions } from './command.ts'

const options = { ...dataOption } as const

export const seal: Command = {
  name: 'seal',
  about: 'Wipes the keys from the memory of a running server. Every call is refused until it is unsealed.',
  options,
  async run(words) {
    const { data = '.merlon' } = readOptions(options, words)
    const response = await callServer(data, { route: 'POST /seal', input: {} })
    if (!response) throw new InstallationError(`No server runs on ${data}: nothing is unsealed.`, 'MERLON_NOT_RUNNING')
    process.stdout.write('Merlon is sealed.\n')
    return 0
  },
}
