/** Keys as other services see them: by their ARN alone. */
import type { KeysPort } from '../../kernel/ports/ports.ts'
import { keyNamed } from './references.ts'
import { arnOf } from './resources.ts'

export const keysPort: KeysPort = {
  arnOf: async (reader, scope, reference) => {
    const row = await keyNamed({ ...scope, unit: reader }, reference, { aliases: true })
    return row && arnOf(row)
  },
}
