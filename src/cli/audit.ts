/** `merlon audit …`: the trail of everything, proven and read. */
import { keyCommand } from './audit/key.ts'
import { tailCommand } from './audit/tail.ts'
import { verifyCommand } from './audit/verify.ts'
import { commandGroup } from './group.ts'

export const audit = commandGroup({
  name: 'audit',
  about: 'Proves and reads the trail of everything that was asked',
  commands: [verifyCommand, keyCommand, tailCommand],
})
