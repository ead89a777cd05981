/** `merlon audit verify`: is every event there, and as it was written? */
import { resolve } from 'node:path'
import type { VerificationResult } from '../../kernel/log-integrity/verify.ts'
import { callAdmin, placeOptions } from '../admin-client.ts'
import { plain } from '../plain.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  ...placeOptions,
  witness: { type: 'string', value: 'FILE', about: 'what a witness kept: checkpoints, one a line' },
  json: { type: 'boolean', about: 'for programs' },
} as const

export const verifyCommand: SubCommand = {
  name: 'verify',
  about: 'Checks every event against its chain, its MAC and the signed checkpoints. Exit status 1 when one is wrong.',
  options,
  async run(words) {
    const place = parseSubcommand(options, words).given
    const { witness, json } = place
    const verdict = await callAdmin<VerificationResult>(
      place,
      'POST /audit/verify',
      witness ? { witness: resolve(witness) } : {},
    )
    process.stdout.write(json ? `${JSON.stringify(verdict)}\n` : shown(verdict))
    return verdict.findings.length > 0 ? 1 : 0
  },
}

const shown = ({ records, chains, checkpoints, witnessed, findings }: VerificationResult): string =>
  [
    ...findings.map(({ chain, sequence, what }) => `MERLON_CHAIN_BROKEN(${sequence}) ${plain(chain)}: ${plain(what)}`),
    `${records} events in ${chains} chains, ${checkpoints} checkpoints here, ${witnessed} of witnesses: ${
      findings.length > 0 ? `${findings.length} chains are broken` : 'all as they were written'
    }`,
    '',
  ].join('\n')
