/** Keys as other services see them: by their ARN alone. */
import type { KeysPort } from '../../kernel/ports.ts'
import { resolve } from './references.ts'

export const keysPort: KeysPort = {
  arnOf: async (reader, scope, reference) => {
    const { row, arn } = await resolve({ ...scope, unit: reader }, reference, true)
    return row && arn
  },
}
