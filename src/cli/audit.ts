/** `merlon audit …`: the audit log, verified and read. */
import { keyCommand } from './audit/key.ts'
import { tailCommand } from './audit/tail.ts'
import { verifyCommand } from './audit/verify.ts'
import { commandGroup } from './group.ts'

export const audit = commandGroup({
  name: 'audit',
  about: 'Verifies and reads the audit log',
  commands: [verifyCommand, keyCommand, tailCommand],
})
