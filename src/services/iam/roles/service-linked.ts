/** Service-linked roles: created for a service and changed by that service only. */
import type { Row } from '../../../kernel/resource/facts.ts'
import type { RoleRow } from '../resources.ts'
import { iam } from '../words.ts'

const RESERVED = '/aws-service-role/'

export function isReservedPath(path: string): boolean {
  return path.startsWith(RESERVED)
}

/** Refuses to change a role that belongs to a service; lets everything else pass. */
export function protect(row: Row): void {
  const { linkedService, name } = row as Partial<RoleRow>
  if (linkedService === undefined) return
  throw iam.fail(
    'UnmodifiableEntityException',
    `Cannot perform the operation on the protected role '${name}' - this role is only modifiable by AWS`,
  )
}
