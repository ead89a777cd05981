/** Checks of the data directory from outside: its owner and modes, times, and the disk that it is on. */
import { lstatSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Check, fail, pass, warn } from './check.ts'

const OTHERS = 0o077
const MIB = 1024 * 1024
const FREE_LEAST_BYTES = 100 * MIB
const FREE_GOOD_BYTES = 1024 * MIB
/** A clock may be corrected by a little. */
const SKEW_MS_MAX = 60_000
/** No release is older than the first one's year: a machine without a clock begins in 1970. */
const FIRST_YEAR = 2026
/** The files that a server writes there; others are the operator's. */
const OWN_FILE = /^(?:merlon\.|root\.key$)/

/** `uid`: of the user who runs the server; undefined where the system has none. */
export function directoryChecks(data: string, now: number, uid = process.getuid?.()): readonly Check[] {
  const stat = statSync(data)
  if (!stat.isDirectory())
    return [fail('data directory', `${data} is not a directory`, 'Name the data directory: merlon doctor --data DIR')]
  return [ownership(data, stat, uid), modes(data), clock(data, now), disk(data)]
}

function ownership(
  data: string,
  { uid: owner, mode }: ReturnType<typeof statSync> & object,
  uid: number | undefined,
): Check {
  const check = 'data directory'
  if (uid !== undefined && uid !== 0 && owner !== uid)
    return fail(check, `${data} belongs to another user (${owner})`, `Run as that user, or: chown -R ${uid} ${data}`)
  if ((Number(mode) & OTHERS) !== 0)
    return fail(check, `${data} is open to other users (mode ${octal(Number(mode))})`, `chmod 700 ${data}`)
  return pass(check, `${data}, mode ${octal(Number(mode))}`)
}

function modes(data: string): Check {
  const open = ownFiles(data).filter((name) => (lstatSync(join(data, name)).mode & OTHERS) !== 0)
  if (open.length === 0) return pass('files', 'only their owner can read them')
  const paths = open.map((name) => join(data, name))
  return fail('files', `open to other users: ${open.join(', ')}`, `chmod 600 ${paths.join(' ')}`)
}

function clock(data: string, now: number): Check {
  const fix =
    'Set the clock, and keep it by NTP (systemd-timesyncd or chrony); signatures are refused from 5 minutes on'
  const shown = new Date(now).toISOString()
  if (new Date(now).getUTCFullYear() < FIRST_YEAR) return fail('clock', `${shown} is before the first release`, fix)
  const newest = Math.max(0, ...ownFiles(data).map((name) => lstatSync(join(data, name)).mtimeMs))
  if (newest > now + SKEW_MS_MAX)
    return fail('clock', `${shown}, and files were written at ${new Date(newest).toISOString()}`, fix)
  return pass('clock', shown)
}

function disk(data: string): Check {
  const { bavail, bsize } = statfsSync(data)
  const free = bavail * bsize
  const found = `${Math.floor(free / MIB).toLocaleString('en-US')} MiB free`
  const fix = 'Make room: a full disk refuses every call. Old backups and streams are the usual cause'
  if (free < FREE_LEAST_BYTES) return fail('disk', found, fix)
  return free < FREE_GOOD_BYTES ? warn('disk', found, fix) : pass('disk', found)
}

const ownFiles = (data: string): readonly string[] => readdirSync(data).filter((name) => OWN_FILE.test(name))

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0')
