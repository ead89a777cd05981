/**
 * The service-linked roles port: the role that a service has in an account, created and granted permissions by that
 * service alone; provided by IAM.
 *
 * @example
 * await call.use(serviceLinkedRoles).ensure(call, { account: call.account, service: 'guardduty.amazonaws.com' })
 */
import type { Unit } from '../../store/store.ts'
import type { Subject } from '../gate/session.ts'
import type { Quotas } from '../service/quota.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface ServiceLinkedRoleName {
  readonly account: string
  /** `guardduty.amazonaws.com` */
  readonly service: string
}

export interface ServiceLinkedRolesPort {
  /** `arn:aws:iam::111122223333:role/aws-service-role/…`, whether or not the role exists. */
  arnOf(role: ServiceLinkedRoleName): string
  exists(reader: Pick<Reader, 'get'>, role: ServiceLinkedRoleName): Promise<boolean>
  /** Creates the role where it does not exist. Returns its ARN. */
  ensure(
    call: { readonly unit: Unit; readonly now: number; readonly quotas: Quotas },
    role: ServiceLinkedRoleName,
  ): Promise<string>
  /** Writes an inline policy of the role, or deletes it for undefined. Does nothing where the role does not exist. */
  putPolicy(unit: Unit, role: ServiceLinkedRoleName, name: string, document: string | undefined): Promise<void>
  /** For {@link ServiceCaller.role}; undefined where the role does not exist. */
  subjectOf(
    reader: Pick<Reader, 'get'>,
    role: ServiceLinkedRoleName,
  ): Promise<Extract<Subject, { readonly kind: 'role' }> | undefined>
}

/** Offered by a service whose role must not be deleted while something needs it. */
export interface ServiceLinkedRoleUsePort {
  /** What needs the role, in all Regions; each with its ARN. */
  resources(
    reader: Pick<Reader, 'range'>,
    account: string,
  ): Promise<readonly { readonly region: string; readonly arn: string }[]>
}

/** One port for each service: `serviceLinkedRoleUse('guardduty.amazonaws.com')`. */
export const serviceLinkedRoleUse = (service: string) =>
  port<ServiceLinkedRoleUsePort>(`service-linked-role-use ${service}`)

export const serviceLinkedRoles = port<ServiceLinkedRolesPort>('service-linked-roles')
