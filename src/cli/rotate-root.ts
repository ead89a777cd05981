/** `merlon rotate-root`: another root key under the same sealers, while work goes on. */
import type { Replaced } from '../server/trust/backup.ts'
import { callAdmin, placeOptions } from './admin-client.ts'
import { type Command, readOptions } from './command.ts'
import { warnOfCopies } from './copies.ts'

const options = { ...placeOptions, json: { type: 'boolean', about: 'for programs' } } as const

export const rotateRoot: Command = {
  name: 'rotate-root',
  about:
    'Makes a new root key, wraps every account key under it, and forgets the old one. Shares and tokens stay good.',
  options,
  async run(words) {
    const place = readOptions(options, words)
    const { json } = place
    const response = await callAdmin<{ rootVersion: number; copies: readonly Replaced[] }>(place, 'POST /rotate-root')
    process.stdout.write(
      json ? `${JSON.stringify(response)}\n` : `The root key is now version ${response.rootVersion}.\n`,
    )
    warnOfCopies(response.copies, 'destroy it, it opens the old version')
    return 0
  },
}
