/**
 * What a recorded call costs in processor time, as a multiple of what bare `node:http` costs in the same round: rates depend on the
 * machine and on what else runs, multiples hardly do. The threads are told apart: the one that answers and the one that writes.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CONNECTIONS, load } from '../drive.mjs'
import { number, table } from '../report.mjs'
import { callOnce, signedJson, signedQuery } from '../requests.mjs'
import { median } from '../rounds.mjs'
import { running, startMerlon } from '../servers.mjs'

/** Five thousand users are an account's quota: all rounds together stay below it. */
const USERS_A_ROUND = 550
const PLAINTEXT = Buffer.alloc(32, 7).toString('base64')

async function startBare() {
  const script = fileURLToPath(new URL('../programs/bare-http.mjs', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'bench' }
  return running('node:http', `http://127.0.0.1:${JSON.parse(line).port}`, child, credentials)
}

export async function processor({ full, rounds }) {
  const [merlon, bare] = [await startMerlon(), await startBare()]
  try {
    const { KeyMetadata } = await callOnce(merlon, 'kms', 'TrentService.CreateKey', {})
    const secret = { ClientRequestToken: randomUUID(), Name: 'bench', SecretString: 'x'.repeat(64) }
    await callOnce(merlon, 'secretsmanager', 'secretsmanager.CreateSecret', secret)
    const identity = async (server) => [await signedQuery(server, 'sts', { Action: 'GetCallerIdentity' })]
    const calls = full ? 20_000 : 6_000
    const cases = [
      { name: 'GetCallerIdentity', requests: identity, calls, aim: 5 },
      {
        name: 'Encrypt',
        requests: async (server) => [
          await signedJson(server, 'kms', 'TrentService.Encrypt', { KeyId: KeyMetadata.KeyId, Plaintext: PLAINTEXT }),
        ],
        calls,
        aim: 7.5,
      },
      {
        name: 'GetSecretValue',
        requests: async (server) => [
          await signedJson(server, 'secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: 'bench' }),
        ],
        calls,
      },
      {
        name: 'CreateUser',
        requests: (server, round) =>
          Promise.all(
            Array.from({ length: USERS_A_ROUND }, (_, n) =>
              signedQuery(server, 'iam', { Action: 'CreateUser', UserName: `user-${round}-${n}` }),
            ),
          ),
        calls: USERS_A_ROUND,
      },
      { name: 'GetCallerIdentity, 1,000 calls a second', requests: identity, calls: 3_000, perSecond: 1_000 },
      ...[1, 8, 256].map((connections) => ({
        name: `GetCallerIdentity, ${connections} connection${connections === 1 ? '' : 's'}`,
        requests: identity,
        calls: connections === 1 ? 2_000 : calls,
        connections,
      })),
    ]
    const rows = []
    for (const each of cases) rows.push(row(each, await measured(each, [merlon, bare], rounds)))
    return [
      table(['', 'all threads', 'answering', 'writing', 'node:http', 'multiple'], rows),
      '',
      `Microseconds of processor time a call, medians of ${rounds} rounds after one that does not count; the multiple is the median of`,
      `each round's own. ${CONNECTIONS} connections, unless a row says another number.`,
    ].join('\n')
  } finally {
    await Promise.all([merlon.stop(), bare.stop()])
  }
}

const row = ({ name, aim }, of) => [
  name,
  ...['total', 'main', 'writer', 'bare'].map((column) => number(median(of.map((each) => each[column])))),
  multiple(median(of.map(({ total, bare }) => total / bare)), aim),
]

const multiple = (value, aim) => `${value.toFixed(1)}${aim !== undefined && value > aim ? ` (aim ${aim})` : ''}`

async function measured({ requests, calls, connections, perSecond }, [merlon, bare], rounds) {
  const found = []
  for (let round = 0; round <= rounds; round++) {
    const cost = async (server) => {
      const asked = await requests(server, round)
      const before = server.threadsUs()
      const { count } = await load(server, asked, calls, { connections, perSecond })
      return split(before, server.threadsUs(), count)
    }
    const [ours, theirs] =
      round % 2 ? [await cost(merlon), await cost(bare)] : [await cost(bare), await cost(merlon)].reverse()
    if (round > 0) found.push({ ...ours, bare: theirs.total })
  }
  return found
}

/** The answering thread is the first of the process; of the others with JavaScript, the one that worked most writes. */
function split(before, after, count) {
  const spent = [...after].map(([id, { us, name }]) => ({ id, name, us: us - (before.get(id)?.us ?? 0) }))
  const [main, ...others] = spent
  return {
    total: spent.reduce((sum, { us }) => sum + us, 0) / count,
    main: main.us / count,
    writer: Math.max(0, ...others.filter(({ name }) => name === main.name).map(({ us }) => us)) / count,
  }
}
