/** Service-linked roles: made for a service, changed by nobody else. */
import type { Row } from '../../kernel/resource.ts'
import { iam, type RoleRow } from './resources.ts'

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
