/** `merlon policy …`: questions about policies in plain files, answered without a server. */
import { type Command, UsageError, usage } from './command.ts'
import { diffCommand } from './policy/diff.ts'
import { explainCommand } from './policy/explain.ts'
import { InputError } from './policy/files.ts'
import { lintCommand } from './policy/lint.ts'
import { simulateCommand } from './policy/simulate.ts'
import { whatCanCommand } from './policy/what-can.ts'
import { whatIfCommand } from './policy/what-if.ts'
import { whoCanCommand } from './policy/who-can.ts'
import type { PolicyCommand } from './policy/words.ts'

const commands: readonly PolicyCommand[] = [
  lintCommand,
  explainCommand,
  simulateCommand,
  whoCanCommand,
  whatCanCommand,
  diffCommand,
  whatIfCommand,
]

const NAMES = commands.map(({ name }) => name).join(', ')

export const policy: Command = {
  name: 'policy',
  about: `Asks policies in plain files, without a server: ${NAMES}. See 'merlon policy help'.`,
  options: {},
  help: ([name]) => {
    const named = commands.filter((each) => each.name === name)
    return help(named.length > 0 ? named : commands)
  },
  async run(words) {
    stopWhenNobodyReads()
    const [name, ...rest] = words
    if (name === undefined || name === 'help') {
      process.stdout.write(help(commands))
      return name === undefined ? 2 : 0
    }
    const command = commands.find((each) => each.name === name)
    if (!command) throw new UsageError(`There is no command 'policy ${name}'. There are: ${NAMES}.`)
    try {
      return await command.run(rest)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      // A build that fails over a missing file should not look as if the policy were at fault.
      process.stderr.write(`merlon: ${error.message}\n`)
      return 2
    }
  },
}

const help = (shown: readonly PolicyCommand[]) =>
  usage(
    shown.map(({ name, operands, about, options, run }) => ({
      name: ['policy', name, operands].filter(Boolean).join(' '),
      about,
      options,
      run,
    })),
  ) + '\nExit status: 0 fine; 1 findings, denied, or changed access; 2 a command line or a file that cannot be read.\n'

/** `| head` closes the pipe: that is no failure of ours. */
function stopWhenNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}
