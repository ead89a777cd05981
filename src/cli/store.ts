/** `merlon store …`: where an installation's data is stored. */
import { commandGroup } from './group.ts'
import { copyCommand } from './store/copy.ts'
import { rotatePasswordCommand } from './store/rotate-password.ts'

export const store = commandGroup({
  name: 'store',
  about: 'Moves an installation between engines, and changes how it comes to its database',
  commands: [copyCommand, rotatePasswordCommand],
})
