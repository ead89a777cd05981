/** Service-linked and reserved roles: created for a service and changed by that service only. */
import type { Row } from '../../../kernel/resource/facts.ts'
import type { RoleRow } from '../resources.ts'
import { iam } from '../words.ts'

const RESERVED = ['/aws-service-role/', '/aws-reserved/']

export function isReservedPath(path: string): boolean {
  return RESERVED.some((each) => path.startsWith(each))
}

/** Refuses to change a role that belongs to a service; lets everything else pass. */
export function protect(row: Row): void {
  const { linkedService, reservedBy, name } = row as Partial<RoleRow>
  if (linkedService === undefined && reservedBy === undefined) return
  throw iam.fail(
    'UnmodifiableEntityException',
    `Cannot perform the operation on the protected role '${name}' - this role is only modifiable by AWS`,
  )
}

/** Refuses to change a role that a service reserves; service-linked roles pass, where AWS lets their tags be changed. */
export function protectReserved(row: Row): void {
  if ((row as Partial<RoleRow>).reservedBy !== undefined) protect(row)
}
