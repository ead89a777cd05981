/** What grows with the data, and what must not: a full installation beside one with one of everything. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { load } from '../drive.mjs'
import { populate } from '../populate.mjs'
import { number, table } from '../report.mjs'
import { signedJson, signedQuery } from '../requests.mjs'
import { interleaved } from '../rounds.mjs'
import { answered, startMerlon } from '../servers.mjs'

const EMPTY = { accounts: 1, users: 1, roles: 1, secrets: 1, keys: 1 }
const SMALL = { accounts: 2, users: 4_000, roles: 400, secrets: 4_000, keys: 100 }
const FULL = { accounts: 20, users: 100_000, roles: 10_000, secrets: 100_000, keys: 1_000 }
/** So many different secrets are requested. */
const ASKED_MAX = 5_000
/** Five thousand users are an account's quota: all rounds together stay below it. */
const MADE = 500
const SLOWER_MAX = 1.3

export async function growth({ full, rounds }) {
  const sizes = full ? FULL : SMALL
  const worlds = []
  for (const each of [EMPTY, sizes]) {
    const server = await startMerlon({ kept: true })
    try {
      worlds.push({ server, ...(await populate(server, each)) })
    } finally {
      await server.stop()
    }
  }
  try {
    const starts = await interleaved(worlds, rounds, started)
    for (const world of worlds) world.server = await startMerlon({ before: world.server })
    const idle = worlds.map(({ server }) => server.memory() / 1e6)
    const calls = full ? 20_000 : 5_000
    const rates = []
    for (const kind of kinds) rates.push(await interleaved(worlds, rounds, kind.measure(calls)))
    const after = worlds.map(({ server }) => server.memory() / 1e6)
    await Promise.all(worlds.map(({ server }) => server.stop()))
    return reportOf(sizes, rounds, [
      ['start to the first signed answer', starts.map(({ ms }) => ms), ' ms', slower(starts[1].ms / starts[0].ms)],
      ...kinds.map(({ name }, i) => [
        name,
        rates[i].map(({ rate }) => rate),
        '/s',
        slower(rates[i][0].rate / rates[i][1].rate),
      ]),
      ['memory, just started', idle, ' MB', ''],
      ['memory, after all this', after, ' MB', ''],
      ['data on disk', worlds.map(({ server }) => bytesIn(server.data) / 1e6), ' MB', ''],
    ])
  } finally {
    for (const { server } of worlds) server.remove()
  }
}

/** The calls that are repeated in turn, with their callers and resources. */
const kinds = [
  {
    name: 'sts:GetCallerIdentity, by all users that have a key',
    measure:
      (calls) =>
      ({ server, users }) =>
        rate(server, calls, users, (user) => signedQuery(at(server, user), 'sts', { Action: 'GetCallerIdentity' })),
  },
  {
    name: 'iam:GetUser, by the root user',
    measure:
      (calls) =>
      ({ server }) =>
        rate(server, calls, [server], (root) => signedQuery(root, 'iam', { Action: 'GetUser' })),
  },
  {
    name: `secretsmanager:GetSecretValue, of up to ${number(ASKED_MAX)}`,
    measure:
      (calls) =>
      ({ server, secrets }) =>
        rate(server, calls, spread(secrets), ({ server: as, name: SecretId }) =>
          signedJson(at(server, as), 'secretsmanager', 'secretsmanager.GetSecretValue', { SecretId }),
        ),
  },
  {
    name: 'iam:CreateUser',
    measure:
      () =>
      ({ server }, round) =>
        rate(
          server,
          MADE,
          Array.from({ length: MADE }, (_, n) => `more-${round}-${n}`),
          (UserName) => signedQuery(server, 'iam', { Action: 'CreateUser', UserName }),
        ),
  },
]

/** Servers get new addresses when they start again. */
const at = ({ url }, { credentials }) => ({ url, credentials })

function spread(all) {
  const step = Math.max(1, Math.floor(all.length / ASKED_MAX))
  return all.filter((_, n) => n % step === 0).slice(0, ASKED_MAX)
}

async function rate(server, calls, subjects, request) {
  const { count, seconds } = await load(server, await Promise.all(subjects.map(request)), calls)
  return { rate: count / seconds }
}

async function started({ server: before, users }) {
  const startedAt = performance.now()
  const server = await startMerlon({ before })
  await answered(server, await signedQuery(at(server, users.at(-1)), 'sts', { Action: 'GetCallerIdentity' }))
  const ms = performance.now() - startedAt
  await server.stop()
  return { ms }
}

const slower = (ratio) => `${ratio.toFixed(2)}×${ratio > SLOWER_MAX ? ` (aim ${SLOWER_MAX}×)` : ''}`

const bytesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { name }) => sum + statSync(join(folder, name)).size, 0)

function reportOf({ accounts, users, roles, secrets, keys }, rounds, rows) {
  const whole = `${number(users)} users, ${number(roles)} roles, ${number(secrets)} secrets`
  return [
    table(
      ['', 'one of each', whole, 'slower by'],
      rows.map(([name, values, unit, ratio]) => [name, ...values.map((value) => `${number(value)}${unit}`), ratio]),
    ),
    '',
    `Medians of ${rounds} interleaved rounds. The data is in ${number(accounts).replace('.00', '')} accounts of an organization, for an account has at`,
    `most 5,000 users; ${number(keys)} of the users have a key and make calls.`,
  ].join('\n')
}
