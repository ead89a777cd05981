/** `merlon waf …`: questions about web ACLs in plain files, answered without a server. */
import type { Command } from './command.ts'
import { commandGroup } from './group.ts'
import { InputError } from './policy/files.ts'
import { explainCommand } from './waf/explain.ts'
import { importCommand } from './waf/import.ts'
import { replayCommand } from './waf/replay.ts'

const group = commandGroup({
  name: 'waf',
  about: 'Evaluates web ACLs in plain files, without a server',
  commands: [explainCommand, importCommand, replayCommand],
  note:
    'Exit status: 0 allowed, or nothing decided differently; 1 blocked, answered with a CAPTCHA or challenge, or decided ' +
    'differently, or not imported; 2 a command line or a file that cannot be read.',
})

export const waf: Command = {
  ...group,
  async run(words) {
    try {
      return await group.run(words)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      process.stderr.write(`merlon: ${error.message}\n`)
      return 2
    }
  },
}
