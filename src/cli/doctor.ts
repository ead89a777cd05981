/** `merlon doctor`: whether an installation is well, check by check, and what to do where it is not. */
import { existsSync } from 'node:fs'
import type { Verification } from '../kernel/log-integrity/verification.ts'
import { callServer } from '../server/admin/admin-socket.ts'
import { KEY_WITH_DATA } from '../server/admin/trust-report.ts'
import { isInstalled } from '../server/compose/installation.ts'
import { asOperatorError, codeOf } from '../server/compose/operator-errors.ts'
import type { Health } from '../server/listen/health.ts'
import { callAdmin, folderOf, type InstallationOptions, placeOptions, storageAt } from './admin-client.ts'
import { type Command, portOf, readOptions } from './command.ts'
import { type Check, fail, pass, type Verdict, warn } from './doctor/check.ts'
import { directoryChecks } from './doctor/directory.ts'
import { portChecks } from './doctor/ports.ts'
import { version } from './version.ts'

const options = {
  ...placeOptions,
  host: { type: 'string', value: 'HOST', about: 'Address of the server (default: 127.0.0.1)' },
  port: { type: 'string', value: 'PORT', about: 'Port of the API (default: 4566)' },
  json: { type: 'boolean', about: 'Print one JSON object' },
} as const

const NODE_LEAST = [20, 19] as const
const VERIFIED_DAYS_MAX = 90
const DAY_MS = 24 * 60 * 60 * 1000

interface Report {
  readonly checks: readonly { readonly check: string; readonly verdict: Verdict; readonly found: string }[]
  readonly verification?: Verification
}

export const doctor: Command = {
  name: 'doctor',
  about:
    'Checks an installation: directory, modes, clock, disk, ports, versions, database, sealers, backups, audit log. Exit status 1 when a check fails.',
  options,
  async run(words) {
    const given = readOptions(options, words)
    const port = portOf(given.port, 4566)
    const checks = [
      nodeCheck(process.versions.node),
      ...(await installationChecks(given, { host: given.host ?? '127.0.0.1', port })),
    ]
    const verdict = worst(checks)
    process.stdout.write(given.json ? `${JSON.stringify({ verdict, checks })}\n` : shown(checks))
    return verdict === 'FAIL' ? 1 : 0
  },
}

async function installationChecks(
  place: InstallationOptions,
  address: { readonly host: string; readonly port: number },
): Promise<readonly Check[]> {
  const data = folderOf(place)
  const make = `merlon init --data ${data}`
  if (!existsSync(data)) return [fail('data directory', `${data} does not exist`, make)]
  const outside = directoryChecks(data, Date.now())
  if (outside.length === 1) return outside
  const running = await callServer(data, { route: 'GET /status', input: {} }).catch(() => undefined)
  const ports = await portChecks({ ...address, isRunning: running !== undefined, version })
  const before = [...outside, ...ports]
  if (!isShared(place) && !isInstalled(data)) return [...before, fail('installation', `${data} has none`, make)]
  const { health } = (running ?? {}) as { readonly health?: Health }
  try {
    const report = await callAdmin<Report>(place, 'GET /report')
    return [...before, databaseCheck(health), ...report.checks.map(advised), verificationCheck(report, Date.now())]
  } catch (error) {
    const known = asOperatorError(error, { data })
    if (!known) throw error
    const code = codeOf(known)
    const what = code === 'MERLON_NOT_RUNNING' ? 'sealers' : 'database'
    const text = known.message.replace(/^MERLON_[A-Z_]+: /, '')
    return [...before, fail(what, text, `See ${code} in docs/errors.md`)]
  }
}

function isShared(place: InstallationOptions): boolean {
  try {
    return storageAt(place).shared
  } catch {
    // Reported by the command that opens it.
    return true
  }
}

function nodeCheck(node: string): Check {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const isNew = major > NODE_LEAST[0] || (major === NODE_LEAST[0] && minor >= NODE_LEAST[1])
  const least = NODE_LEAST.join('.')
  return isNew ? pass('Node.js', node) : fail('Node.js', `${node} is too old`, `Install Node.js ${least} or newer`)
}

function databaseCheck(health: Health | undefined): Check {
  if (!health) return pass('database', 'opens')
  if (health.status === 'unavailable')
    return fail('database', health.message ?? 'does not answer', 'See the log of the server, and docs/operations.md')
  return health.status === 'sealed'
    ? warn('database', 'not read: the server is sealed', 'merlon unseal')
    : pass('database', `the server is ${health.status}`)
}

/** What to do about a check of the trust report. */
const FIXES: readonly (readonly [check: RegExp, fix: string])[] = [
  [/^sealer (\w+) /, 'merlon sealer test $1'],
  [/^backup$/, 'merlon backup FILE, on another disk, once a day'],
  [/^drill$/, 'merlon backup verify FILE --drill'],
  [/^event chain$/, 'Start the server: it signs a checkpoint every minute'],
  [/^state$/, 'merlon unseal; merlon restore --activate for a restored copy'],
  [/^process$/, 'Start the server without these; see docs/operations.md'],
  [/^account keys$/, 'Stop the server and restore the newest backup with its keyring: docs/operations.md'],
  [/^sealed values$/, 'The database was changed from outside: see docs/operations.md'],
]

function advised({ check, verdict, found }: Report['checks'][number]): Check {
  if (verdict === 'PASS') return { check, verdict, found }
  // Merlon serves such an installation to its own machine alone: it is not broken, and it is not for production.
  if (found === KEY_WITH_DATA)
    return warn(check, found, 'merlon sealer add file --key-file /another/disk/merlon.key, then remove this one')
  const [pattern, fix] = FIXES.find(([known]) => known.test(check)) ?? [/^/, 'See docs/operations.md']
  const [matched = ''] = pattern.exec(check) ?? []
  return { check, verdict, found, fix: matched.replace(pattern, fix) || fix }
}

function verificationCheck({ verification }: Report, now: number): Check {
  const check = 'audit log'
  const fix = 'merlon audit verify'
  if (!verification) return warn(check, 'never verified', fix)
  const { at, records, findings } = verification
  const found = `${records} records verified ${new Date(at).toISOString()}`
  if (findings > 0) return fail(check, `${found}, with ${findings} findings`, `${fix}, and see docs/audit.md`)
  return now - at > VERIFIED_DAYS_MAX * DAY_MS ? warn(check, found, fix) : pass(check, found)
}

const SIGNS: Readonly<Record<Verdict, string>> = { PASS: 'ok', WARN: 'warn', FAIL: 'FAIL' }

function shown(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ check }) => check.length))
  const lines = checks.map(({ check, verdict, found, fix }) => {
    const line = `${SIGNS[verdict].padEnd(4)}  ${check.padEnd(width)}  ${found}`
    return fix === undefined ? line : `${line}. To do: ${fix}`
  })
  const count = (verdict: Verdict) => checks.filter((each) => each.verdict === verdict).length
  return `${[...lines, '', `${count('FAIL')} failed, ${count('WARN')} warnings, ${count('PASS')} ok`].join('\n')}\n`
}

const worst = (checks: readonly Check[]): Verdict =>
  (['FAIL', 'WARN'] as const).find((verdict) => checks.some((each) => each.verdict === verdict)) ?? 'PASS'
