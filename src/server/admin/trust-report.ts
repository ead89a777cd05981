/** The real state of the root of trust, check by check: an auditor's questions, answered by the server. */
import { type Finding, findings, KEPT_MS } from '../../kernel/events/findings.ts'
import { isTamperFinding, nameOf } from '../../kernel/events/tamper-watch.ts'
import { lastCheckpoint } from '../../kernel/log-integrity/checkpoint.ts'
import { lastVerification } from '../../kernel/log-integrity/verification.ts'
import type { SealerRecord } from '../../vault/sealer.ts'
import { allBackups } from '../trust/backup.ts'
import { checkCanaries } from '../trust/restore.ts'
import type { SealManager } from '../trust/seal-manager.ts'

/** Found of a sealer whose key file is in the data directory. */
export const KEY_WITH_DATA = 'its key is stored with the data: read access to the disk is enough to decrypt everything'

type Verdict = 'PASS' | 'WARN' | 'FAIL'
interface Check {
  readonly check: string
  readonly verdict: Verdict
  readonly found: string
}

const DAY_MS = 24 * 60 * 60 * 1000
const TESTED_DAYS_MAX = 90
const BACKUP_DAYS_MAX = 7
const DRILL_DAYS_MAX = 90
const TAMPERED_DAYS = 7
const SHOWN_MAX = 5

export async function trustReport(custody: SealManager, process: object): Promise<object> {
  const { sealers, installId, epoch, rootVersion, fenced, accounts } = custody.body()
  const now = custody.clock.now()
  const unsafe = (process as { readonly unsafe?: readonly string[] }).unsafe ?? []
  const erased = Object.values(accounts).filter((wrapped) => wrapped === null).length
  const checks: Check[] = [
    {
      check: 'state',
      verdict: fenced ? 'WARN' : 'PASS',
      found: custody.sealed ? 'sealed' : fenced ? 'a restored copy, not yet activated' : 'unsealed',
    },
    ...sealers.map((sealer) => sealerCheck(custody, sealer, now)),
    {
      check: 'process',
      verdict: unsafe.length === 0 ? 'PASS' : custody.keyBesideData ? 'WARN' : 'FAIL',
      found: unsafe.join('; ') || 'no debugger, no hooks, no core dumps',
    },
    ...(custody.sealed ? [] : await dataChecks(custody, now)),
  ]
  return {
    installId,
    epoch,
    rootVersion,
    accounts: Object.keys(accounts).length - erased,
    erased,
    checks,
    ...(!custody.sealed && { verification: await lastVerification(custody.unsealed().store.reader) }),
    verdict: worst(checks),
  }
}

function sealerCheck(custody: SealManager, sealer: SealerRecord, now: number): Check {
  const check = `sealer ${sealer.id} (${sealer.settings.kind})`
  if (custody.isStoredWithData(sealer)) {
    const found = KEY_WITH_DATA
    return { check, verdict: 'FAIL', found }
  }
  if (sealer.testedAt === undefined) return { check, verdict: 'WARN', found: 'never tested' }
  const verdict = now - sealer.testedAt > TESTED_DAYS_MAX * DAY_MS ? 'WARN' : 'PASS'
  return { check, verdict, found: `last opened ${new Date(sealer.testedAt).toISOString()}` }
}

async function dataChecks(custody: SealManager, now: number): Promise<readonly Check[]> {
  const { store, keyring, cloud } = custody.unsealed()
  await cloud.flush()
  const backups = [...(await allBackups(store.reader)).values()]
  const canaries = await checkCanaries(store, keyring).then(
    ({ accounts }): Check => ({ check: 'account keys', verdict: 'PASS', found: `${accounts} open what they sealed` }),
    (error: Error): Check => ({ check: 'account keys', verdict: 'FAIL', found: error.message }),
  )
  const checkpoint = await lastCheckpoint(store.reader, store.node)
  return [
    canaries,
    tamperingCheck(await findings(store.reader), now),
    {
      check: 'event chain',
      verdict: checkpoint ? 'PASS' : 'WARN',
      found: checkpoint ? `checkpoint ${checkpoint.number} of ${checkpoint.time}, ${checkpoint.all}` : 'no checkpoint',
    },
    age('backup', latest(backups.map(({ lastAt }) => lastAt)), BACKUP_DAYS_MAX, now),
    age('drill', latest(backups.map(({ lastDrillAt }) => lastDrillAt)), DRILL_DAYS_MAX, now),
  ]
}

/** Fails for a week after the last sighting, and warns for as long as findings are kept. */
function tamperingCheck(all: readonly Finding[], now: number): Check {
  const check = 'sealed values'
  const kept = all
    .filter(isTamperFinding)
    .filter(({ updatedAt }) => now - Date.parse(updatedAt) < KEPT_MS)
    .sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))
  const [last] = kept
  if (!last) return { check, verdict: 'PASS', found: 'every one that was read opened at its place' }
  const recent = now - Date.parse(last.updatedAt) < TAMPERED_DAYS * DAY_MS
  const places = kept.slice(0, SHOWN_MAX).map(({ resource, service }) => {
    return `${nameOf(resource.sealedValueDetails)} (${service.count} times, last ${service.eventLastSeen})`
  })
  const more = kept.length > SHOWN_MAX ? `, and ${kept.length - SHOWN_MAX} more` : ''
  return {
    check,
    verdict: recent ? 'FAIL' : 'WARN',
    found: `changed or moved in the store: ${places.join(', ')}${more}`,
  }
}

const latest = (times: readonly (number | undefined)[]): number | undefined =>
  times.reduce((last, time) => (time !== undefined && time > (last ?? 0) ? time : last), undefined)

function age(check: string, at: number | undefined, daysMax: number, now: number): Check {
  if (at === undefined) return { check, verdict: 'WARN', found: 'never' }
  return { check, verdict: now - at > daysMax * DAY_MS ? 'WARN' : 'PASS', found: new Date(at).toISOString() }
}

const worst = (checks: readonly Check[]): Verdict =>
  (['FAIL', 'WARN'] as const).find((verdict) => checks.some((each) => each.verdict === verdict)) ?? 'PASS'
