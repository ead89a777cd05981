/** `merlon net …`: questions about networks in plain files, answered without a server, and flow records for one. */
import { endWithClosedPipe } from './closed-pipe.ts'
import type { Command } from './command.ts'
import { commandGroup } from './group.ts'
import { explainCommand, importCommand, placementCommand, whoReachesCommand } from './net/commands.ts'
import { importFlowsCommand } from './net/import-flows.ts'
import { labCommand } from './net/lab.ts'
import { InputError } from './policy/files.ts'

const group = commandGroup({
  name: 'net',
  about: 'Analyzes networks in plain files, without a server; brings flow records to one',
  commands: [explainCommand, whoReachesCommand, placementCommand, importCommand, importFlowsCommand, labCommand],
  note: 'Exit status: 0 reachable, or no violation; 1 not reachable, a violation, or a lab that differs; 2 a command line or a file that cannot be read.',
})

export const net: Command = {
  ...group,
  async run(words) {
    endWithClosedPipe()
    try {
      return await group.run(words)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      process.stderr.write(`merlon: ${error.message}\n`)
      return 2
    }
  },
}
