/** `merlon secret …`: secrets for programs that know nothing of AWS. */
import { commandGroup } from './group.ts'
import { runCommand } from './secret/run.ts'

export const secret = commandGroup({
  name: 'secret',
  about: 'Gives secrets to programs that know nothing of AWS',
  commands: [runCommand],
})
