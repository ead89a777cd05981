/**
 * People and groups of an Active Directory or LDAP directory in the store of the instance whose identity source it is: a
 * job, every five minutes. One turn has a budget; while more is left, the next one follows at once.
 */
import { randomUUID } from 'node:crypto'
import { cancelJob, scheduleJob } from '../../../kernel/jobs/jobs.ts'
import { directoryLogin } from '../../../kernel/ports/directory-login.ts'
import type { SyncStatus } from '../../../kernel/ports/identity-store.ts'
import { MissingPortError } from '../../../kernel/ports/port.ts'
import { type DirectorySource, ssoInstances } from '../../../kernel/ports/sso-instances.ts'
import type { JobContext, ServiceJob } from '../../../kernel/service/service.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { type Key, key, type Unit, under } from '../../../store/store.ts'
import { count } from '../counts.ts'
import {
  addGroup,
  addMembership,
  addUser,
  type Change,
  removeGroup,
  removeMembership,
  removeUser,
  saveGroup,
  saveUser,
} from '../directory.ts'
import {
  type GroupRow,
  groupKey,
  type MemberIndex,
  memberKey,
  type StoreRow,
  storeKey,
  type UserRow,
  userKey,
} from '../rows.ts'
import { type HeldBack, planOf, type SyncChange, type SyncPlan } from './plan.ts'

/** In documents that wait: never change it. */
export const SYNC = 'identitystore.sync-directory'
const INTERVAL_MS = 5 * 60_000

interface Payload {
  readonly account: string
  readonly storeId: string
  readonly isDeletionAllowed?: boolean
}

interface SyncRow extends Partial<SyncStatus> {
  readonly storeId: string
  /** The job that waits. */
  readonly next: Key
}

const syncKey = (storeId: string): Key => key('identitystore', 'sync', storeId)

/** Now, instead of when the next turn is due. */
export async function scheduleSync(
  unit: Unit,
  { id: storeId, account }: Pick<StoreRow, 'id' | 'account'>,
  { now, isDeletionAllowed = false }: { readonly now: number; readonly isDeletionAllowed?: boolean },
): Promise<void> {
  const before = await unit.get<SyncRow>(syncKey(storeId))
  if (before) cancelJob(unit, before.next)
  unit.put(syncKey(storeId), { ...before, storeId, next: turn(unit, { account, storeId, isDeletionAllowed }, now) })
}

const turn = (unit: Unit, payload: Payload, dueAt: number): Key =>
  scheduleJob(unit, { id: `${SYNC}/${payload.storeId}`, kind: SYNC, dueAt, payload })

/** undefined where no directory is synchronized, or the first turn has not ended. */
export async function syncStatus(reader: Pick<Reader, 'get'>, storeId: string): Promise<SyncStatus | undefined> {
  const row = await reader.get<SyncRow>(syncKey(storeId))
  if (row?.endedAt === undefined) return undefined
  const { next: _next, storeId: _storeId, ...status } = row
  return status as SyncStatus
}

const MEASURED_MAX = 100

/** For metrics: of a hundred stores at most. */
export async function syncStatuses(
  reader: Pick<Reader, 'range'>,
): Promise<readonly (SyncStatus & { readonly storeId: string })[]> {
  const rows = await reader.range<SyncRow>(under('identitystore', 'sync'), { limit: MEASURED_MAX })
  return rows.flatMap(({ document: { endedAt, outcome, ...row } }) =>
    endedAt === undefined || outcome === undefined ? [] : [{ ...row, endedAt, outcome }],
  )
}

type Effect =
  | { readonly outcome: 'stop' }
  | { readonly outcome: 'failed'; readonly reason: string }
  | { readonly outcome: 'planned'; readonly plan: SyncPlan; readonly directoryId: string }

async function sourceIn({ reader, use }: JobContext, storeId: string): Promise<DirectorySource | undefined> {
  const store = await reader.get<StoreRow>(storeKey(storeId))
  const source = store && (await use(ssoInstances).externalSource(reader, store.instanceArn))
  return source && 'directoryId' in source ? source : undefined
}

async function planned(work: JobContext, { storeId, isDeletionAllowed = false }: Payload): Promise<Effect> {
  const source = await sourceIn(work, storeId)
  if (!source) return { outcome: 'stop' }
  const failed = (reason: string): Effect => ({ outcome: 'failed', reason })
  const { reader, use, quotas } = work
  try {
    const listing = await use(directoryLogin).list(source.directoryId, source.groups)
    if (listing === 'unavailable')
      return failed('No server of the directory answers, or its service account is refused.')
    if (listing === 'too-large') return failed('The directory is too large: name groups with --group.')
    const issuer = source.directoryId
    const plan = await planOf({ reader, storeId, issuer, listing, isDeletionAllowed, quotas })
    if (isHeldBack(plan))
      return failed(
        `The directory lists ${plan.deletions} of ${plan.of} users no more. To delete them: merlon identity-source sync --allow-deletions`,
      )
    return { outcome: 'planned', plan, directoryId: source.directoryId }
  } catch (error) {
    if (error instanceof MissingPortError) return failed('This installation has no Directory Service.')
    throw error
  }
}

const isHeldBack = (plan: SyncPlan | HeldBack): plan is HeldBack => 'deletions' in plan

export const syncJob: ServiceJob<Payload, Effect> = {
  effect: planned,
  run: async (unit, work, payload, effect) => {
    const { storeId } = payload
    const before = await unit.get<SyncRow>(syncKey(storeId))
    // The source was changed meanwhile: what was planned is not wanted any more.
    if (effect.outcome === 'stop' || !before) {
      unit.delete(syncKey(storeId))
      return
    }
    const endedAt = work.now
    const { next: _next, reason: _reason, ...last } = before
    if (effect.outcome === 'failed') {
      const next = turn(unit, { account: payload.account, storeId }, work.now + INTERVAL_MS)
      unit.put(syncKey(storeId), {
        ...last,
        endedAt,
        outcome: 'failed',
        reason: effect.reason,
        storeId,
        next,
      } satisfies SyncRow)
      return
    }
    const { plan, directoryId } = effect
    const change: Change = {
      unit,
      now: work.now,
      storeId,
      by: `directory/${directoryId}`,
      newId: () => randomUUID(),
    }
    for (const each of plan.changes) await apply(change, work, each)
    const { people, groups, skipped, skippedCount, isMore } = plan
    const next = isMore
      ? turn(unit, payload, work.now)
      : turn(unit, { account: payload.account, storeId }, work.now + INTERVAL_MS)
    const status: SyncStatus = {
      endedAt,
      outcome: isMore ? 'running' : 'succeeded',
      succeededAt: isMore ? last.succeededAt : endedAt,
      people,
      groups,
      skipped,
      skippedCount,
    }
    unit.put(syncKey(storeId), { ...status, storeId, next } satisfies SyncRow)
  },
}

/** Compared again with what the store has now: a turn may be repeated. */
async function apply(change: Change, { quotas }: JobContext, each: SyncChange): Promise<void> {
  const { unit, storeId } = change
  const user = (id: string) => unit.get<UserRow>(userKey(storeId, id))
  const group = (id: string) => unit.get<GroupRow>(groupKey(storeId, id))
  switch (each.kind) {
    case 'add-user':
      await count({ unit, quotas }, storeId, 'Users', 1)
      await addUser(change, each.user)
      return
    case 'save-user': {
      const row = await user(each.id)
      if (row) await saveUser(change, row, { ...row, ...each.user })
      return
    }
    case 'remove-user': {
      const row = await user(each.id)
      if (!row) return
      await removeUser(change, row)
      await count({ unit, quotas }, storeId, 'Users', -1)
      return
    }
    case 'add-group':
      await count({ unit, quotas }, storeId, 'Groups', 1)
      await addGroup(change, { displayName: each.displayName, externalIds: each.externalIds })
      return
    case 'save-group': {
      const row = await group(each.id)
      if (row) await saveGroup(change, row, { ...row, displayName: each.displayName })
      return
    }
    case 'remove-group': {
      const row = await group(each.id)
      if (!row) return
      await removeGroup(change, row)
      await count({ unit, quotas }, storeId, 'Groups', -1)
      return
    }
    case 'add-member':
    case 'remove-member': {
      const { groupId, userId } = each
      const known = await unit.get<MemberIndex>(memberKey(storeId, groupId, userId))
      if (each.kind === 'remove-member') {
        if (known) removeMembership(change, known)
      } else if (!known && (await user(userId)) && (await group(groupId))) {
        await addMembership(change, groupId, userId)
      }
    }
  }
}
