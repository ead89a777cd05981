/** `merlon policy …`: questions about policies in plain files, answered without a server. */
import { endWithClosedPipe } from './closed-pipe.ts'
import type { Command } from './command.ts'
import { commandGroup } from './group.ts'
import { diffCommand } from './policy/diff.ts'
import { explainCommand } from './policy/explain.ts'
import { InputError } from './policy/files.ts'
import { lintCommand } from './policy/lint.ts'
import { simulateCommand } from './policy/simulate.ts'
import { whatCanCommand } from './policy/what-can.ts'
import { whatIfCommand } from './policy/what-if.ts'
import { whoCanCommand } from './policy/who-can.ts'
import { whyCommand } from './policy/why.ts'

const group = commandGroup({
  name: 'policy',
  about: 'Evaluates policies in plain files, without a server; why queries an installation',
  commands: [
    lintCommand,
    explainCommand,
    simulateCommand,
    whoCanCommand,
    whatCanCommand,
    diffCommand,
    whatIfCommand,
    whyCommand,
  ],
  note: 'Exit status: 0 fine; 1 findings, denied, or changed access; 2 a command line or a file that cannot be read.',
})

export const policy: Command = {
  ...group,
  async run(words) {
    endWithClosedPipe()
    try {
      return await group.run(words)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      // A build that fails over a missing file should not look as if the policy were at fault.
      process.stderr.write(`merlon: ${error.message}\n`)
      return 2
    }
  },
}
