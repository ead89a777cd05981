/** From the command to the first signed answer, and the memory of an idle server. */
import { dist } from '../programs.mjs'
import { number, table, times } from '../report.mjs'
import { signedQuery } from '../requests.mjs'
import { interleaved, median } from '../rounds.mjs'
import { answered, startMerlon, startMoto } from '../servers.mjs'

const IDLE_MS = 2_000
const RESETS = 20

export async function start({ rounds }) {
  const kept = await startMerlon({ kept: true })
  await kept.stop()
  const subjects = [
    { name: 'Merlon, a new folder', start: () => startMerlon() },
    { name: 'Merlon, again', start: () => startMerlon({ before: kept }) },
    { name: 'moto_server', start: startMoto },
  ]
  // Where moto is not installed there is nothing to compare with.
  const there = (await probe(startMoto)) ? subjects : subjects.slice(0, 2)
  const results = await interleaved(there, rounds, async (subject) => {
    const startedAt = performance.now()
    const server = await subject.start()
    await answered(server, await signedQuery(server, 'sts', { Action: 'GetCallerIdentity' }))
    const ms = performance.now() - startedAt
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
    const mb = server.memory() / 1e6
    await server.stop()
    return { ms, mb }
  })
  kept.remove()
  const moto = results[2]
  const rows = there.map(({ name }, i) => [
    name,
    `${number(results[i].ms)} ms`,
    `${number(results[i].mb)} MB`,
    moto && i < 2 ? times(moto.ms / results[i].ms, 2) : '',
  ])
  return [
    table(['', 'first signed answer', 'idle', 'faster by'], rows),
    '',
    `Medians of ${rounds} interleaved rounds. Aims: 400 ms, and 110 MB idle.`,
    '',
    `\`reset()\` of a server for tests, after a test that made a key: ${number(await resetMs())} ms (aim 50), median of ${RESETS}.`,
  ].join('\n')
}

async function probe(starting) {
  const server = await starting()
  await server?.stop()
  return server !== undefined
}

/** Milliseconds, client's time. */
async function resetMs() {
  const { startMerlon: forTests } = await import(`${dist}/testing.js`)
  const merlon = await forTests({ seed: { users: [{ name: 'ann' }] } })
  try {
    const taken = []
    for (let n = 0; n < RESETS; n++) {
      await merlon.credentialsFor('ann')
      const begun = performance.now()
      await merlon.reset()
      taken.push(performance.now() - begun)
    }
    return median(taken)
  } finally {
    await merlon.stop()
  }
}
