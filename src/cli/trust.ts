/** `merlon trust …`: what the root of trust really looks like, and the end of an account. */
import type { Replaced } from '../server/trust/backup.ts'
import { callAdmin, placeOptions } from './admin-client.ts'
import { type Command, operandsOf, readOptions, UsageError, usage } from './command.ts'
import { warnOfCopies } from './copies.ts'

const options = {
  ...placeOptions,
  json: { type: 'boolean', about: 'for programs' },
  yes: { type: 'boolean', about: 'erase: confirm that this cannot be undone' },
} as const

interface Report {
  readonly verdict: string
  readonly checks: readonly { readonly check: string; readonly verdict: string; readonly found: string }[]
}
interface Erased {
  readonly account: string
  readonly copies: readonly Replaced[]
}

export const trust: Command = {
  name: 'trust',
  about:
    'report: the real state of sealers, process and backups; exit status 1 when something fails. erase ACCOUNT: closes an account and destroys its key, so that its data cannot be read, in old backups neither.',
  options,
  verbs: ['report', 'erase'],
  help: () => usage([{ ...trust, name: 'trust report | erase ACCOUNT' }]),
  async run(words) {
    const [[verb, operand], rest] = operandsOf(words)
    const place = readOptions(options, rest)
    const { json, yes } = place
    if (verb === 'report') {
      const report = await callAdmin<Report>(place, 'GET /report')
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : shown(report))
      return report.verdict === 'FAIL' ? 1 : 0
    }
    if (verb !== 'erase' || operand === undefined)
      throw new UsageError('merlon trust report, or merlon trust erase ACCOUNT')
    if (!yes) throw new UsageError(`This cannot be undone. To confirm: merlon trust erase ${operand} --yes`)
    const response = await callAdmin<Erased>(place, 'POST /accounts/erase', { account: operand })
    process.stdout.write(json ? `${JSON.stringify(response)}\n` : `The key of account ${operand} is destroyed.\n`)
    return warnOfCopies(response.copies, "destroy every copy of it, the account's key is in it")
  },
}

const shown = ({ verdict, checks }: Report): string =>
  [...checks.map((each) => `${each.verdict.padEnd(5)} ${each.check}: ${each.found}`), `${verdict}`, ''].join('\n')
