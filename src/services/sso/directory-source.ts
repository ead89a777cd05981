/**
 * People whose identity source is a directory: their passwords are checked there, and they stay signed in while the directory
 * has them enabled. One job for each identity store watches all who are signed in, over one connection.
 */
import { type DirectorySignIn, signInAtDirectory } from '../../kernel/federation/directory-sign-in.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { PORTAL_SESSION_MS } from '../../kernel/portal-sessions.ts'
import { directoryLogin } from '../../kernel/ports/directory-login.ts'
import { type IdentityStoreFacts, identityStore, type StoreUser } from '../../kernel/ports/identity-store.ts'
import { type DirectorySource, type ExternalSource, ssoInstances } from '../../kernel/ports/sso-instances.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { endSignIns, SIGN_IN_MS } from '../../kernel/state/sign-in-sessions.ts'
import type { WebCall } from '../../kernel/web/site.ts'
import { key, type Unit, under } from '../../store/store.ts'

/** In documents that wait: never change it. */
export const WATCH = 'sso.watch-directory-people'
/** Two turns and what they take are less than a minute. */
const INTERVAL_MS = 20_000
/** A session of a role that began at the end of the portal's lasts as long. */
const WATCHED_MS = PORTAL_SESSION_MS + SIGN_IN_MS

export const directoryIn = (source: ExternalSource | undefined): DirectorySource | undefined =>
  source && 'directoryId' in source ? source : undefined

export type PersonSignIn =
  | { readonly outcome: 'accepted'; readonly user: StoreUser }
  /** The directory knows the person; the identity store does not, or the person is disabled there. */
  | { readonly outcome: 'unknown' }
  | Exclude<DirectorySignIn, { readonly outcome: 'accepted' }>

export async function signInPerson(
  call: WebCall<undefined>,
  { id: storeId, account }: IdentityStoreFacts,
  { directoryId }: DirectorySource,
  userName: string,
  password: string,
): Promise<PersonSignIn> {
  const directory = await call.use(directoryLogin).find(directoryId)
  if (directory?.accountId !== account) return { outcome: 'unavailable' }
  const answer = await signInAtDirectory(call, directory, userName, password)
  if (answer.outcome !== 'accepted') return answer
  const user = await call.use(identityStore).userByExternalId(call.unit, storeId, directoryId, answer.person.subject)
  return user?.isEnabled ? { outcome: 'accepted', user } : { outcome: 'unknown' }
}

interface WatchedRow {
  readonly userId: string
  readonly directoryId: string
  /** The directory's ID of the person. */
  readonly subject: string
  readonly signInPerson: string
  /** Epoch milliseconds. */
  readonly until: number
}

interface Payload {
  readonly account: string
  readonly storeId: string
  readonly instanceArn: string
  /** The directory did not answer the turn before. */
  readonly hasMissed?: boolean
}

const rowsOf = (storeId: string) => under('sso', 'watched', storeId)
const rowKey = (storeId: string, userId: string) => key('sso', 'watched', storeId, userId)
/** While a job is scheduled. */
const watchKey = (storeId: string) => key('sso', 'watch', storeId)

/** From a sign-in on. */
export async function watchPerson(
  { unit, now }: Pick<WebCall, 'unit' | 'now'>,
  { id: storeId, account, instanceArn }: IdentityStoreFacts,
  { directoryId }: DirectorySource,
  { id: userId, signInPerson, externalIds }: StoreUser,
): Promise<void> {
  const subject = externalIds.find(({ Issuer }) => Issuer === directoryId)?.Id
  if (subject === undefined) return
  unit.put(rowKey(storeId, userId), {
    userId,
    directoryId,
    subject,
    signInPerson,
    until: now + WATCHED_MS,
  } satisfies WatchedRow)
  if (!(await unit.get(watchKey(storeId)))) schedule(unit, { account, storeId, instanceArn }, now)
}

function schedule(unit: Unit, payload: Payload, now: number): void {
  unit.put(watchKey(payload.storeId), { at: now + INTERVAL_MS })
  scheduleJob(unit, { id: `${WATCH}/${payload.storeId}`, kind: WATCH, dueAt: now + INTERVAL_MS, payload })
}

interface Seen {
  readonly rows: readonly WatchedRow[]
  /** undefined: no server of the directory answered. */
  readonly active: ReadonlySet<string> | undefined
  readonly directoryId: string | undefined
}

export const watchJob: ServiceJob<Payload, Seen> = {
  effect: async ({ reader, use, now }, { storeId, instanceArn }) => {
    const rows = (await reader.range<WatchedRow>(rowsOf(storeId))).map(({ document }) => document)
    const directoryId = directoryIn(await use(ssoInstances).externalSource(reader, instanceArn))?.directoryId
    const subjects = rows.filter((row) => isWatched(row, directoryId, now)).map(({ subject }) => subject)
    if (directoryId === undefined || subjects.length === 0) return { rows, active: new Set(), directoryId }
    const active = await use(directoryLogin)
      .activeAmong(directoryId, subjects)
      .catch(() => undefined)
    return { rows, active, directoryId }
  },
  run: async (unit, { now, use }, payload, { rows, active, directoryId }) => {
    const { hasMissed = false, ...rest } = payload
    const { storeId } = rest
    let left = 0
    for (const row of rows) {
      const { userId, subject, signInPerson } = row
      const isOver = !isWatched(row, directoryId, now)
      const isGone = active ? !active.has(subject) : hasMissed
      if (!isOver && !isGone) {
        left++
        continue
      }
      unit.delete(rowKey(storeId, userId))
      if (isOver) continue
      // A short outage is forgiven; during a longer one no person is known to be enabled.
      if (active) await use(identityStore).disable(unit, storeId, userId, { issuer: row.directoryId, now })
      else await endSignIns(unit, signInPerson)
    }
    // People who signed in meanwhile have rows that this turn has not read.
    if (left === 0 && (await unit.range(rowsOf(storeId), { limit: 1 })).length === 0) unit.delete(watchKey(storeId))
    else schedule(unit, { ...rest, ...(!active && { hasMissed: true }) }, now)
  },
}

const isWatched = (row: WatchedRow, directoryId: string | undefined, now: number): boolean =>
  row.directoryId === directoryId && row.until > now
