/** Returns its input: to try permissions, roles and triggers with. */
import type { Builtin } from './builtin.ts'

export const echo: Builtin = async (event, { log }) => {
  log(`Echo: ${JSON.stringify(event)?.length ?? 0} characters`)
  return event
}
