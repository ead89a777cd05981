/** `merlon acm …`: why a certificate is not issued. */
import { explainCommand } from './acm/explain.ts'
import { commandGroup } from './group.ts'

export const acm = commandGroup({
  name: 'acm',
  about: 'Explains what stops a certificate from being issued',
  commands: [explainCommand],
})
