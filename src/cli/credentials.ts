/** `merlon credentials …`: temporary credentials for programs that know AWS's ways of finding them. */
import { processCommand } from './credentials/process.ts'
import { serveCommand } from './credentials/serve.ts'
import { commandGroup } from './group.ts'

export const credentials = commandGroup({
  name: 'credentials',
  about: "Gives programs temporary credentials in AWS's ways",
  commands: [processCommand, serveCommand],
})
