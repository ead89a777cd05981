/** Deletion: after a window in which it can be called off, and for good. */
import { cancelJob } from '../../kernel/jobs/jobs.ts'
import type { JobContext, ServiceJob } from '../../kernel/service/service.ts'
import type { Unit } from '../../store/store.ts'
import { recordServiceEvent } from './events.ts'
import { removeGrant } from './grant-rows.ts'
import { type KeyJob, keyJob, keyOfJob, WINDOW_DAYS_DEFAULT } from './key-jobs.ts'
import { lacksMaterial, relatives, saveKey } from './key-materials.ts'
import { alias, arnOf, key } from './resources.ts'
import { at, type GrantRow, type KeyRow } from './rows.ts'
import { requireState } from './states.ts'
import { ownKey } from './targets.ts'
import { DAY_MS, date, invalid, kms } from './words.ts'

export const DELETE_JOB = 'kms.delete-key'

/** The text of the API governs; the model's bounds are wider. */
const WINDOW_DAYS_MIN = 7
const WINDOW_DAYS_MAX = 30

export const scheduleKeyDeletion = kms
  .operation('ScheduleKeyDeletion')
  .on(ownKey)
  .run((call, input, { row }) => {
    requireState(row, 'ScheduleKeyDeletion')
    const windowDays = input.PendingWindowInDays ?? WINDOW_DAYS_DEFAULT
    if (windowDays < WINDOW_DAYS_MIN || windowDays > WINDOW_DAYS_MAX) {
      throw invalid(`PendingWindowInDays must be between ${WINDOW_DAYS_MIN} and ${WINDOW_DAYS_MAX}.`)
    }
    const waits = row.multiRegion?.primary === row.region && row.multiRegion.replicas.length > 0
    const saved = waits
      ? saveKey(call.unit, { ...row, state: 'PendingReplicaDeletion', deletion: { windowDays } })
      : beginWindow(call.unit, row, windowDays, call.now)
    const { deletion } = saved
    return {
      KeyId: arnOf(saved),
      ...(deletion?.at !== undefined && { DeletionDate: date(deletion.at) }),
      KeyState: saved.state,
      PendingWindowInDays: windowDays,
    }
  })

function beginWindow(unit: Unit, row: KeyRow, windowDays: number, now: number): KeyRow {
  const due = now + windowDays * DAY_MS
  const job = keyJob(unit, DELETE_JOB, due, row)
  return saveKey(unit, { ...row, state: 'PendingDeletion', deletion: { windowDays, at: due, job } })
}

export const cancelKeyDeletion = kms
  .operation('CancelKeyDeletion')
  .on(ownKey)
  .run((call, _input, { row }) => {
    requireState(row, 'CancelKeyDeletion')
    const { deletion, ...kept } = row
    if (deletion?.job) cancelJob(call.unit, deletion.job)
    // Never usable automatically: an administrator has to enable it.
    saveKey(call.unit, { ...kept, state: lacksMaterial(row) ? 'PendingImport' : 'Disabled' })
    return { KeyId: arnOf(row) }
  })

/** The window is over: material, aliases and grants go with the key. */
async function deleteKey(unit: Unit, { now }: JobContext, payload: KeyJob): Promise<void> {
  const row = await keyOfJob(unit, payload)
  // A job that failed may come when its window was called off, and another one begun.
  if (row?.state !== 'PendingDeletion' || row.deletion?.at === undefined || row.deletion.at > now) return

  for (const name of row.aliases) unit.delete(alias.key(row, { name }))
  for (const { document } of await unit.range<GrantRow>(at.grants(row))) removeGrant(unit, row, document)
  for (const { key } of await unit.range(at.namedGrants(row))) unit.delete(key)
  unit.delete(at.grantCount(row))
  for (const { id, expiryJob } of row.materials) {
    unit.delete(at.material(row.region, id))
    if (expiryJob) cancelJob(unit, expiryJob)
  }
  if (row.rotation) cancelJob(unit, row.rotation.job)
  unit.delete(key.key(row, { KeyId: row.id }))
  recordServiceEvent(unit, row, 'DeleteKey', now)
  await leaveRelatives(unit, row, now)
}

/** A primary that waits for its last replica begins its own window when that one is gone. */
async function leaveRelatives(unit: Unit, gone: KeyRow, now: number): Promise<void> {
  if (!gone.multiRegion) return
  const { primary } = gone.multiRegion
  const replicas = gone.multiRegion.replicas.filter((region) => region !== gone.region)
  for (const row of await relatives(unit, gone)) {
    if (row.region === gone.region) continue
    const saved = saveKey(unit, { ...row, multiRegion: { primary, replicas } })
    if (saved.state === 'PendingReplicaDeletion' && replicas.length === 0) {
      beginWindow(unit, saved, saved.deletion!.windowDays, now)
    }
  }
}

export const deleteJob: ServiceJob<KeyJob> = { run: deleteKey }
