/** Requests that run as jobs: assignments created and deleted, permission sets provisioned. */
import type { Call } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { rowsBelow } from './pages.ts'
import { permissionSetArn } from './permission-sets.ts'
import { type InstanceRow, notFound, type PermissionSetRow } from './resources.ts'
import type { PrincipalType } from './rows.ts'

export type RequestKind = 'create' | 'delete' | 'provision'
type Status = 'IN_PROGRESS' | 'FAILED' | 'SUCCEEDED'

export interface RequestRow {
  readonly id: string
  readonly kind: RequestKind
  readonly status: Status
  readonly permissionSetId: string
  readonly permissionSetArn: string
  /** The account; undefined for all accounts that have the permission set. */
  readonly targetId?: string
  readonly principalType?: PrincipalType
  readonly principalId?: string
  readonly failureReason?: string
  readonly createdAt: number
}

export interface RequestJob {
  /** Owner of the instance. */
  readonly account: string
  readonly instanceId: string
  readonly kind: RequestKind
  readonly requestId: string
  /** Of provisioning many accounts: the last one that is done. */
  readonly after?: Key
}

const KEPT_MS = 30 * 24 * 3600 * 1000
export const RUN_REQUEST = 'sso.run-request'
export const FORGET_REQUEST = 'sso.forget-request'

export const requestKey = (instanceId: string, kind: RequestKind, id: string): Key =>
  key('sso', 'request', instanceId, kind, id)

export function schedule(unit: Unit, now: number, payload: RequestJob): void {
  const { instanceId, requestId, after = '' } = payload
  scheduleJob(unit, {
    id: `${RUN_REQUEST}/${instanceId}/${requestId}/${after}`,
    kind: RUN_REQUEST,
    dueAt: now,
    payload,
  })
}

/** Stores a request, and schedules its job. */
export function request(
  call: Call,
  instance: InstanceRow,
  row: PermissionSetRow,
  what: Pick<RequestRow, 'kind' | 'targetId' | 'principalType' | 'principalId'>,
): RequestRow {
  const made: RequestRow = {
    id: call.newId(),
    status: 'IN_PROGRESS',
    permissionSetId: row.id,
    permissionSetArn: permissionSetArn(row),
    createdAt: call.now,
    ...what,
  }
  const payload: RequestJob = {
    account: instance.account,
    instanceId: instance.id,
    kind: made.kind,
    requestId: made.id,
  }
  call.unit.put(requestKey(instance.id, made.kind, made.id), made)
  schedule(call.unit, call.now, payload)
  scheduleJob(call.unit, {
    id: `${FORGET_REQUEST}/${instance.id}/${made.id}`,
    kind: FORGET_REQUEST,
    dueAt: call.now + KEPT_MS,
    payload,
  })
  return made
}

export const shownRequest = (row: RequestRow) => ({
  Status: row.status,
  RequestId: row.id,
  ...(row.failureReason !== undefined && { FailureReason: row.failureReason }),
  TargetId: row.targetId,
  TargetType: 'AWS_ACCOUNT' as const,
  PermissionSetArn: row.permissionSetArn,
  PrincipalType: row.principalType,
  PrincipalId: row.principalId,
  CreatedDate: new Date(row.createdAt),
})

/** As provisioning shows it. */
export const shownProvisioning = (row: RequestRow) => ({
  Status: row.status,
  RequestId: row.id,
  ...(row.targetId !== undefined && { AccountId: row.targetId }),
  PermissionSetArn: row.permissionSetArn,
  ...(row.failureReason !== undefined && { FailureReason: row.failureReason }),
  CreatedDate: new Date(row.createdAt),
})

/** Throws where the instance has no such request. */
export async function requestNamed(call: Call, instance: InstanceRow, kind: RequestKind, id: string) {
  const row = await call.unit.get<RequestRow>(requestKey(instance.id, kind, id))
  if (!row) throw notFound(`Could not find the request ${id}.`)
  return row
}

interface Listed {
  readonly MaxResults?: number | undefined
  readonly NextToken?: string | undefined
  readonly Filter?: { readonly Status?: string | undefined } | undefined
}

export async function requestsOf(call: Call, instance: InstanceRow, kind: RequestKind, input: Listed) {
  const status = input.Filter?.Status
  const below = under('sso', 'request', instance.id, kind)
  const { items, rest } = await rowsBelow<RequestRow>(
    call,
    below,
    input,
    status === undefined ? undefined : (row) => row.status === status,
  )
  const metadata = items.map(({ status: Status, id: RequestId, createdAt }) => ({
    Status,
    RequestId,
    CreatedDate: new Date(createdAt),
  }))
  return { metadata, rest }
}
