/** `merlon secret …`: secrets for programs that know nothing of AWS, and the status of their rotation. */
import { commandGroup } from './group.ts'
import { rotationStatusCommand } from './secret/rotation-status.ts'
import { runCommand } from './secret/run.ts'

export const secret = commandGroup({
  name: 'secret',
  about: 'Runs programs with secrets, and shows the status of their rotation',
  commands: [runCommand, rotationStatusCommand],
})
