/** `merlon audit key`: what a witness checks signatures of checkpoints with. */
import { createPublicKey } from 'node:crypto'
import { callAdmin, placeOptions } from '../admin-client.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = placeOptions

export const keyCommand: SubCommand = {
  name: 'key',
  about: 'Prints the public key that checkpoints are signed with (Ed25519, PEM), for witnesses elsewhere.',
  options,
  async run(words) {
    const place = parseSubcommand(options, words).given
    const { publicKey } = await callAdmin<{ publicKey: string }>(place, 'GET /audit/key')
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    process.stdout.write(key.export({ format: 'pem', type: 'spki' }) as string)
    return 0
  },
}
