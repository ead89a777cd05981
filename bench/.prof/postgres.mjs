/** A PostgreSQL of the system's own packages, in a folder of its own, that syncs to disk as it comes. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endWithUs, freePort } from './servers.mjs'

const asRoot = process.getuid() === 0
/** It refuses to run as root. */
const as = asRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : []
const READY_TRIES = 150

/** undefined where no PostgreSQL is installed. */
export async function startPostgres() {
  const bin = spawnSync('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | tail -1'], { encoding: 'utf8' }).stdout.trim()
  if (!bin) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'merlon-bench-postgres-'))
  chmodSync(folder, 0o755)
  if (asRoot) execFileSync('chown', ['postgres:postgres', folder])
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const run = (words) => execFileSync(words[0], words.slice(1), { stdio: 'pipe', encoding: 'utf8', cwd: folder })

  const data = join(folder, 'data')
  run([...as, `${bin}/initdb`, '-D', data, '-U', 'bench', '-A', 'trust'])
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${folder}`]
  const words = [...as, `${bin}/postgres`, '-D', data, ...settings.flatMap((each) => ['-c', each])]
  const child = spawn(words[0], words.slice(1), { stdio: 'ignore', cwd: folder })
  endWithUs(child)
  const psql = (sql) =>
    run([`${bin}/psql`, '-h', '127.0.0.1', '-p', String(port), '-U', 'bench', 'postgres', '-qc', sql])
  for (let tries = 0; ; tries++) {
    try {
      psql('SELECT 1')
      break
    } catch (error) {
      if (tries > READY_TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  return {
    url: `postgres://bench@127.0.0.1:${port}/postgres`,
    psql,
    /** Transactions a second of a pgbench script, by so many clients. */
    pgbench: (script, clients, seconds) => {
      const file = join(folder, 'script.sql')
      writeFileSync(file, script)
      const output = run([
        `${bin}/pgbench`,
        ...['-h', '127.0.0.1', '-p', String(port), '-U', 'bench', '-n', '-M', 'prepared'],
        ...['-c', String(clients), '-j', String(Math.min(clients, 2)), '-T', String(seconds), '-f', file, 'postgres'],
      ])
      return Number(/^tps = ([\d.]+)/m.exec(output)?.[1])
    },
    stop: async () => {
      child.kill('SIGINT')
      await once(child, 'exit')
      remove()
    },
  }
}
