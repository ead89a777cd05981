/**
 * Events that are deleted: those of deleted groups and streams, and those older than the retention of their group. Jobs delete
 * them in portions.
 */
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, type Unit, under } from '../../store/store.ts'
import { deleteChunks, deleteCounters } from './event-rows.ts'
import { logGroup } from './resources.ts'

/** In documents that wait: never change them. */
export const ERASE_GROUP = 'logs.erase-group'
export const ERASE_STREAM = 'logs.erase-stream'
export const EXPIRE = 'logs.expire'

const DAY_MS = 24 * 60 * 60_000
/** AWS deletes within 72 hours. Reads leave expired events out at once. */
export const EXPIRE_EVERY_MS = 6 * 60 * 60_000
/** Streams of one portion. */
const STREAMS_MAX = 500

export interface GroupErasure {
  readonly account: string
  readonly region: string
  readonly groupId: string
}

export interface StreamErasure extends GroupErasure {
  readonly streamId: string
  readonly after?: Key | undefined
}

export interface Expiry {
  readonly account: string
  readonly region: string
  readonly group: string
  /** Of the setting: a later one has a job of its own. */
  readonly retentionId: string
}

/** Where the streams of a group are, whatever the name of the group means today. */
const streamsOf = ({ account, region, groupId }: GroupErasure): Key =>
  under('logs', 'log-stream', account, region, groupId)

export const eraseGroup: ServiceJob<GroupErasure> = {
  run: async (unit, { now }, erasure) => {
    const more = await deleteChunks(unit, erasure.groupId, () => true)
    const streams = await unit.range(streamsOf(erasure), { limit: STREAMS_MAX })
    for (const { key: at } of streams) unit.delete(at)
    if (more !== undefined || streams.length === STREAMS_MAX)
      scheduleJob(unit, {
        id: `${ERASE_GROUP}/${erasure.groupId}`,
        kind: ERASE_GROUP,
        dueAt: now,
        payload: erasure,
      })
    else await deleteCounters(unit, erasure.groupId)
  },
}

export const eraseStream: ServiceJob<StreamErasure> = {
  run: async (unit, { now }, erasure) => {
    const { groupId, streamId, after } = erasure
    const next = await deleteChunks(unit, groupId, (chunk) => chunk.streamId === streamId, after)
    if (next === undefined) return
    scheduleJob(unit, {
      id: `${ERASE_STREAM}/${streamId}`,
      kind: ERASE_STREAM,
      dueAt: now,
      payload: { ...erasure, after: next } satisfies StreamErasure,
    })
  },
}

export function scheduleExpiry(unit: Unit, expiry: Expiry, dueAt: number): void {
  scheduleJob(unit, { id: `${EXPIRE}/${expiry.retentionId}`, kind: EXPIRE, dueAt, payload: expiry })
}

export const expire: ServiceJob<Expiry> = {
  run: async (unit, { now }, expiry) => {
    const group = await logGroup.get(unit, expiry, { LogGroupName: expiry.group })
    if (group?.retention?.id !== expiry.retentionId) return
    const before = now - group.retention.days * DAY_MS
    let deleted = 0
    const next = await deleteChunks(unit, group.id, ({ last }) => {
      const isExpired = last < before
      if (isExpired) deleted++
      return isExpired
    })
    scheduleExpiry(unit, expiry, next !== undefined && deleted > 0 ? now : now + EXPIRE_EVERY_MS)
  },
}
