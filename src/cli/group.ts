/** A command that has commands of its own: `merlon policy lint`. */
import { type Command, UsageError, usage } from './command.ts'
import type { SubCommand } from './subcommand.ts'

export interface Group {
  readonly name: string
  /** The names of its commands are added. */
  readonly about: string
  readonly commands: readonly SubCommand[]
  /** Ends the help: what the exit statuses mean, for one. */
  readonly note?: string
}

export function commandGroup({ name: group, about, commands, note }: Group): Command {
  const names = commands.map(({ name }) => name).join(', ')
  const help = (shown: readonly SubCommand[]) =>
    usage(
      shown.map(({ name, operands, about, options, run }) => ({
        name: [group, name, operands].filter(Boolean).join(' '),
        about,
        options,
        run,
      })),
    ) + (note === undefined ? '' : `\n${note}\n`)

  return {
    name: group,
    about: `${about}: ${names}. See 'merlon ${group} help'.`,
    options: {},
    commands,
    help: ([name]) => {
      const named = commands.filter((each) => each.name === name)
      return help(named.length > 0 ? named : commands)
    },
    async run([name, ...rest]) {
      if (name === undefined || name === 'help') {
        process.stdout.write(help(commands))
        return name === undefined ? 2 : 0
      }
      const command = commands.find((each) => each.name === name)
      if (!command) throw new UsageError(`There is no command '${group} ${name}'. There are: ${names}.`)
      return command.run(rest)
    },
  }
}
