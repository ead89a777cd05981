/**
 * `node tools/trail-of-tests.mjs OUT [DIR]`: the trail of Merlon's own tests as files for `merlon detect`, to see what detection says of calls
 * that are no attacks. Suites that start servers leave their data directories below DIR (default: the directory for temporary files); each
 * database becomes a file of events in OUT, one a line, that of a directory with a hash of its own. Databases are copied first, and never written.
 *
 * node tools/trail-of-tests.mjs /tmp/trail && node dist/merlon.js detect --files /tmp/trail --json > findings.jsonl
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'

const [out, from = tmpdir()] = process.argv.slice(2)
if (!out) {
  process.stderr.write('Missing argument: OUT\n')
  process.exit(2)
}
mkdirSync(out, { recursive: true })
const copies = mkdtempSync(join(tmpdir(), 'trail-of-tests-'))
let [events, trails, unread] = [0, 0, 0]
try {
  for (const name of readdirSync(from).filter((each) => each.startsWith('merlon-test-'))) {
    const database = join(from, name, 'data', 'merlon.db')
    if (!existsSync(database)) continue
    const copy = join(copies, 'merlon.db')
    try {
      for (const end of ['', '-wal'])
        if (existsSync(database + end)) copyFileSync(database + end, copy + end)
        else rmSync(copy + end, { force: true })
      const db = new DatabaseSync(copy)
      const rows = db.prepare('SELECT body FROM log ORDER BY position').all()
      db.close()
      if (rows.length === 0) continue
      writeFileSync(join(out, `${name}.jsonl`), rows.map(({ body }) => `${body}\n`).join(''))
      events += rows.length
      trails++
    } catch {
      // Of a server that was killed while it made its schema, for one.
      unread++
    } finally {
      for (const end of ['', '-wal', '-shm']) rmSync(copy + end, { force: true })
    }
  }
} finally {
  rmSync(copies, { recursive: true })
}
process.stdout.write(`${JSON.stringify({ trails, events, unread })}\n`)
