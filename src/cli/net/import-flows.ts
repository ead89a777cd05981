/** `merlon net import-flows`: flow records and DNS queries of log files of AWS, to the threat detection of a server. */
import { placeOptions } from '../admin-client.ts'
import { UsageError } from '../command.ts'
import { listLogFiles, readEvents } from '../detect/log-files.ts'
import { plain } from '../plain.ts'
import { plural, printLine } from '../policy/shown.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'
import { type NetworkEvent, type SentCount, sendEvents } from './send-events.ts'

const options = {
  files: {
    type: 'string',
    value: 'DIR',
    multiple: true,
    about: 'log files below DIR: VPC flow and Route 53 Resolver query logs, also gzipped (required)',
  },
  ...placeOptions,
} as const

export const importFlowsCommand: SubCommand = {
  name: 'import-flows',
  about: 'Sends flow records and DNS queries of log files of AWS to the threat detection of a server.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words)
    const { files, ...place } = given
    if (files.length === 0) throw new UsageError('--files is missing.')
    const counts = new Map<string, SentCount>()
    let skipped = 0
    for (const file of files.flatMap((root) => [...listLogFiles(root)]))
      for await (const events of readEvents(file, () => skipped++)) {
        const ours = events.filter((event): event is NetworkEvent => event.source === 'flow' || event.source === 'dns')
        await sendEvents(place, ours, counts)
      }
    for (const [name, { sent, unwatched }] of counts) {
      if (sent > 0) printLine(`${plain(name)}: ${plural(sent, 'event')} sent\n`)
      if (unwatched > 0)
        printLine(`${plain(name)}: ${plural(unwatched, 'event')} left out, no detector is enabled there\n`)
    }
    if (skipped > 0) process.stderr.write(`merlon: ${plural(skipped, 'record')} of no known kind.\n`)
    return [...counts.values()].some(({ sent }) => sent > 0) ? 0 : 1
  },
}
