/** `merlon rekey`: new shares in place of the old ones, which hold until the new ones have been proven. */
import { callAdmin, placeOptions } from './admin-client.ts'
import { type Command, readOptions, UsageError } from './command.ts'
import { testSealer } from './sealer.ts'
import { showShares } from './shares.ts'

const options = {
  ...placeOptions,
  shares: { type: 'string', value: 'N', about: 'how many shares (default 5)' },
  threshold: { type: 'string', value: 'K', about: 'how many of them open the root key (default 3)' },
  confirm: {
    type: 'boolean',
    about: 'prove the new shares, typed or one a line: from then on the old ones open nothing',
  },
  json: { type: 'boolean', about: 'for programs' },
} as const

interface Shown {
  readonly id: string
  readonly threshold: number
  readonly replaces?: string
}

export const rekey: Command = {
  name: 'rekey',
  about: 'Hands out new shares of the root key, which stays the same. The old ones hold until: merlon rekey --confirm',
  options,
  async run(words) {
    const place = readOptions(options, words)
    const { shares, threshold, confirm, json = false } = place
    const print = (value: object, text: string) =>
      void process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`)
    if (confirm) {
      const { sealers } = await callAdmin<{ sealers: readonly Shown[] }>(place, 'GET /sealers')
      const pending = sealers.find(({ replaces }) => replaces !== undefined)
      if (!pending) throw new UsageError('No rekey has begun. Begin one: merlon rekey --shares N --threshold K')
      return testSealer(place, pending.id, print)
    }
    const response = await callAdmin<{ sealer: Shown; shares: readonly string[] }>(place, 'POST /rekey', {
      shares,
      threshold,
    })
    showShares(response.shares, response.sealer.threshold, json)
    if (!json) process.stdout.write('The old shares hold until the new ones are proven: merlon rekey --confirm\n')
    return 0
  },
}
