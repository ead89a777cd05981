/**
 * Which slow suites CI runs for a commit: those that its changes touch first, the others in rotation, as many as there
 * is time for. `node tools/ci-plan.mjs plan` prints the suites to run, one a line, with its reasons on standard error.
 *
 * `MERLON_CI_BASE`: the last commit for which CI passed; default: the last one that is twelve hours older than HEAD, because
 * one submission may have many commits. `MERLON_CI_ALL=1`: everything.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a run may take, as estimated from `minutes`; a run of CI has an hour. */
export const MINUTES_MAX = 50
/** The fast tests run always. */
export const FAST_MINUTES = 7

/**
 * `covers`: what a suite tests through the built server, where no import shows it. `minutes`: on two processors. Suites that
 * `wait` mostly wait for processes, databases and clocks, with one worker: two of them run at a time; not those that run
 * browsers, Terraform or many nodes, which take twice as long then. Suites that are `beside`
 * only compute: they take what the others leave, and no time of their own. Of a suite with `shards` a run has one, of which
 * `minutes` speaks; the next turn that has the suite has the next shard.
 */
export const SUITES = [
  {
    name: 'rotation',
    minutes: 8,
    waits: true,
    covers: ['src/planes/functions/', 'src/services/secretsmanager/', 'src/services/lambda/'],
  },
  { name: 'cli', minutes: 13, covers: ['src/cli/', 'src/server/', 'src/kernel/', 'src/policy/', 'src/services/'] },
  { name: 'wire', minutes: 7, covers: ['src/wire/', 'models/'] },
  {
    name: 'adversarial',
    minutes: 2,
    covers: [
      'src/wire/',
      'src/kernel/',
      'src/policy/',
      'src/server/listen/listener.ts',
      'src/services/sts/',
      'src/services/iam/',
    ],
  },
  {
    name: 'clients',
    minutes: 19,
    shards: 2,
    covers: ['src/services/', 'src/wire/', 'src/kernel/', 'src/cli/', 'models/'],
  },
  {
    name: 'nodes',
    minutes: 11,
    shards: 3,
    covers: [
      'src/store/postgres/',
      'src/server/trust/keyring-in-store.ts',
      'src/kernel/jobs/lease.ts',
      'test/clients/',
    ],
  },
  {
    name: 'faults',
    minutes: 12,
    covers: ['src/store/', 'src/kernel/jobs/jobs.ts', 'src/kernel/jobs/lease.ts', 'src/server/'],
  },
  { name: 'trust', minutes: 5, covers: ['src/vault/', 'src/store/', 'src/kernel/log-integrity/', 'src/server/'] },
  {
    name: 'federation',
    minutes: 3,
    covers: [
      'src/engines/saml/',
      'src/engines/ldap/',
      'src/engines/oidc/',
      'src/planes/directories/',
      'src/services/ds/',
    ],
  },
  {
    name: 'browser',
    minutes: 13,
    covers: ['src/services/signin/', 'src/kernel/web/', 'src/server/web/', 'console/'],
  },
  { name: 'postgres', minutes: 4, waits: true, covers: ['src/store/'] },
  { name: 'docs', minutes: 8, waits: true, covers: ['docs/', 'README.md', 'src/cli/'] },
  {
    name: 'million',
    minutes: 0,
    beside: true,
    covers: [
      'src/policy/',
      'src/services/secretsmanager/random-password',
      'src/engines/x509/',
      'src/services/acm/authorities',
    ],
  },
  { name: 'vectors', minutes: 0, beside: true, covers: ['src/vault/', 'src/services/kms/', 'src/encryption-sdk/'] },
  { name: 'oracle', minutes: 0, beside: true, covers: ['src/policy/'] },
]

/** What everything depends on. */
const EVERYTHING = [
  /^package(-lock)?\.json$/,
  /^rolldown\.config/,
  /^tsconfig/,
  /^vitest\.config/,
  /^tools\//,
  /^\.ci\//,
]
const IMPORT = /(?:\bfrom|\bimport|\bimport\(|new URL\()\s*['"](\.{1,2}\/[^'"]+)['"]/g

/** By file: suites share most of what they import. */
const read = new Map()

/** What a file imports; undefined when there is no such file. */
function importsOf(root, file) {
  const path = join(root, file)
  if (!read.has(path)) read.set(path, readImports(path, file))
  return read.get(path)
}

function readImports(path, file) {
  if (!existsSync(path) || statSync(path).isDirectory()) return undefined
  if (!/\.[cm]?[jt]s$/.test(file)) return []
  return [...readFileSync(path, 'utf8').matchAll(IMPORT)].map(([, to]) => normalize(join(dirname(file), to)))
}

/** All files that a file reaches by static imports, itself included. */
export function reached(root, files) {
  const seen = new Set()
  const left = [...files]
  while (left.length > 0) {
    const file = left.pop()
    const imports = seen.has(file) ? undefined : importsOf(root, file)
    if (!imports) continue
    seen.add(file)
    left.push(...imports)
  }
  return seen
}

/** The files of a suite, from which its imports begin. */
const filesOf = (root, { name }) => {
  const folder = `test/${name}`
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true }).map((file) => `${folder}/${file}`)
}

/** Names of the suites that a change touches; of all when that is not known. */
export function touched(root, changed) {
  if (changed === undefined || changed.some((file) => EVERYTHING.some((pattern) => pattern.test(file))))
    return SUITES.map(({ name }) => name)
  return SUITES.filter((suite) => {
    const own = reached(root, filesOf(root, suite))
    return changed.some((file) => own.has(file) || suite.covers.some((place) => file.startsWith(place)))
  }).map(({ name }) => name)
}

/** What these suites take together: of those that wait, two at a time, but never less than the longest. */
export function minutesOf(names) {
  const chosen = SUITES.filter(({ name }) => names.includes(name))
  const total = (suites) => suites.reduce((sum, { minutes }) => sum + minutes, 0)
  const waiting = chosen.filter(({ waits }) => waits)
  const longest = Math.max(0, ...waiting.map(({ minutes }) => minutes))
  return total(chosen.filter(({ waits }) => !waits)) + Math.max(longest, total(waiting) / 2)
}

/**
 * Touched suites, and of the others as many as fit, each beginning with the one whose turn it is. Only a change that touches
 * more than a run has time for leaves touched suites to the next turns.
 */
export function plan(touchedNames, turn, minutesMax = MINUTES_MAX) {
  const inTurn = SUITES.map((_, n) => SUITES[(turn + n) % SUITES.length].name)
  const chosen = new Set()
  for (const isTouched of [true, false])
    for (const name of inTurn.filter((each) => touchedNames.includes(each) === isTouched))
      if (chosen.size === 0 || FAST_MINUTES + minutesOf([...chosen, name]) <= minutesMax) chosen.add(name)
  return SUITES.filter(({ name }) => chosen.has(name)).map(({ name }) => name)
}

/** Words for vitest that choose the shard of a suite whose turn it is. */
export function shardOf(name, turn) {
  const shards = SUITES.find((suite) => suite.name === name).shards ?? 1
  return shards === 1 ? [] : [`--shard=${(Math.floor(turn / SUITES.length) % shards) + 1}/${shards}`]
}

/** How many turns from now a suite runs, even when no change touches it. */
export function turnsUntil(name, turn, minutesMax = MINUTES_MAX) {
  for (let more = 1; more <= SUITES.length; more++) if (plan([], turn + more, minutesMax).includes(name)) return more
  throw new Error(`The suite ${name} is longer than a run of CI may be.`)
}

function git(root, ...words) {
  try {
    return execFileSync('git', words, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch {
    return undefined
  }
}

/** Undefined when the clone holds no commit that old. */
function halfADayBefore(root) {
  const headSeconds = Number(git(root, 'log', '-1', '--format=%ct', 'HEAD'))
  return git(root, 'rev-list', '-1', `--before=${headSeconds - 12 * 3600}`, 'HEAD') || undefined
}

/** Undefined when it is unknown. */
export function changedFiles(root, base = process.env['MERLON_CI_BASE']) {
  const from = base ? git(root, 'merge-base', base, 'HEAD') : halfADayBefore(root)
  return from && git(root, 'diff', '--name-only', '--no-renames', from, 'HEAD')?.split('\n').filter(Boolean)
}

/** Counts commits; days where the clone does not hold them. */
export function turnOf(root) {
  const whole = git(root, 'rev-parse', '--is-shallow-repository') === 'false'
  return whole ? Number(git(root, 'rev-list', '--count', 'HEAD')) : Math.floor(Date.now() / 86_400_000)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const everything = process.env['MERLON_CI_ALL'] === '1'
  const changed = everything ? undefined : changedFiles(root)
  const [turn, must] = [turnOf(root), touched(root, changed)]
  const run = plan(must, turn)
  const waiting = SUITES.filter(({ name }) => !run.includes(name))
  const why = changed
    ? `${changed.length} changed files touch: ${must.join(', ') || 'no slow suite'}`
    : 'everything runs'
  console.error(`turn ${turn}; ${why}`)
  for (const { name } of waiting)
    console.error(`${name}${must.includes(name) ? ', touched,' : ''} waits for turn ${turn + turnsUntil(name, turn)}`)
  for (const name of run) console.log(name)
}
