/** `merlon dev …`: servers for tests and offline work. */
import { socialIdpCommand } from './dev/social-idp.ts'
import { commandGroup } from './group.ts'

export const dev = commandGroup({
  name: 'dev',
  about: 'Runs what tests and offline work need',
  commands: [socialIdpCommand],
})
