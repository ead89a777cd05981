/** A table of calls beside moto_server: rate, 99th percentile, and what a call costs its server in processor time. */
import { CONNECTIONS, load } from '../drive.mjs'
import { number, table, times } from '../report.mjs'
import { interleaved } from '../rounds.mjs'
import { startMerlon, startMoto } from '../servers.mjs'

/** Both servers, ready to answer; moto only where it is installed. */
export async function withServers(work) {
  const servers = [await startMerlon(), await startMoto()].filter((server) => server !== undefined)
  try {
    return await work(servers)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

/**
 * `cases`: `{ name, aim, requests(server, round, total), calls? }`; `calls` are those of one round.
 * Measured after a round that does not count, for a server that has just started is no peer of one that has not.
 */
export async function besideMoto(servers, cases, { full, rounds }) {
  const rows = []
  for (const { name, aim, requests, calls } of cases) {
    const results = await interleaved(servers, rounds + 1, async (server, round) => {
      const total = callsOf(server, calls, full)
      const measured = await requests(server, round, total)
      const before = server.cpuMs()
      const { count, seconds, p99 } = await load(server, measured, total)
      return { rate: count / seconds, p99, cpu: ((server.cpuMs() - before) / count) * 1000 }
    })
    const [ours, theirs] = results
    const cell = (one) => one && `${number(one.rate)}/s, p99 ${number(one.p99)} ms, ${number(one.cpu)} µs`
    rows.push([name, cell(ours), cell(theirs) ?? '–', theirs ? times(ours.rate / theirs.rate, aim) : '–'])
  }
  return [
    table(['', 'Merlon', 'moto_server', 'ratio'], rows),
    '',
    `Medians of ${rounds + 1} interleaved rounds, ${CONNECTIONS} connections, one call in flight on each; µs: processor time`,
    'of the server and its threads a call. The load generator is the same for both and shares the machine.',
  ].join('\n')
}

function callsOf(server, calls, full) {
  if (server.name !== 'Merlon') return full ? 2_000 : 800
  return calls ?? (full ? 20_000 : 8_000)
}
