/** How a node comes to its database: with a password that changes while it runs, and over TLS that it checks. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { scramVerifier } from '../../src/planes/functions/rotators/scram.ts'
import { configOf } from '../../src/store/postgres/connection.ts'
import { type PasswordTools, rotatePassword } from '../../src/store/postgres/password.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { replaceFile } from '../../src/vault/durable-file.ts'
import { type Database, postgres } from '../rotation/databases.ts'

let server: Database
const folder = mkdtempSync(join(tmpdir(), 'merlon-credentials-'))
chmodSync(folder, 0o755)
beforeAll(async () => {
  server = await postgres(
    "CREATE ROLE merlon LOGIN PASSWORD 'first-password'; GRANT CREATE ON DATABASE postgres TO merlon",
  )
})
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

const url = (more = '') => `postgres://merlon@127.0.0.1:${server.port}/postgres${more}`
const asBoss = async (sql: string) => {
  const client = new pg.Client(`postgres://boss:boss-password@127.0.0.1:${server.port}/postgres`)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
const tools: PasswordTools = {
  replace: (file, content) => replaceFile(file, content),
  remove: (file) => rmSync(file),
  verifier: (password) => scramVerifier(password),
}
const opens = async (password: string) => {
  const client = new pg.Client(url().replace('merlon@', `merlon:${password}@`))
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}

test('a node changes its own password while it works; the old one opens nothing more, and no log knows the new one', async () => {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, 'first-password\n', { mode: 0o600 })
  const store = await openPostgres({ url: url(), passwordFile, node: 'a' })

  for (let round = 1; round <= 3; round++) {
    const before = readFileSync(passwordFile, 'utf8').trim()
    await rotatePassword({ url: url(), passwordFile }, tools)
    const after = readFileSync(passwordFile, 'utf8').trim()
    expect(after).not.toBe(before)
    expect([await opens(before), await opens(after)]).toEqual([false, true])
    expect(statSync(passwordFile).mode & 0o777).toBe(0o600)
    expect(server.log()).not.toContain(after)

    // What is open goes on, and what must be opened anew comes in.
    await store.run((unit) => unit.put('k', { round }))
    await asBoss("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'merlon'")
    await store.run((unit) => unit.put('l', { round }))
    expect(await store.reader.get('l')).toEqual({ round })
  }
  await store.close()
})

test('a change of password that stopped half way is finished by the next one, on either side of the database', async () => {
  const passwordFile = join(folder, 'half')
  const current = readFileSync(join(folder, 'password'), 'utf8')
  writeFileSync(passwordFile, current)

  // Before the database has the new password: the old one is valid.
  writeFileSync(`${passwordFile}.next`, 'never-told\n')
  await rotatePassword({ url: url(), passwordFile }, tools)
  expect(await opens(readFileSync(passwordFile, 'utf8').trim())).toBe(true)
  expect(readFileSync(passwordFile, 'utf8')).not.toContain('never-told')

  // After: the new one holds, and only the file is late.
  writeFileSync(`${passwordFile}.next`, 'told-already\n')
  await asBoss("ALTER ROLE merlon PASSWORD 'told-already'")
  await rotatePassword({ url: url(), passwordFile }, tools)
  expect(readFileSync(passwordFile, 'utf8')).toBe('told-already\n')
  expect(existsSync(`${passwordFile}.next`)).toBe(false)
})

test('across a network only TLS is taken, unless the operator says otherwise', () => {
  const ssl = (text: string) => configOf({ url: text }).ssl
  expect(ssl('postgres://merlon@db.example/merlon')).toEqual({})
  expect(ssl('postgres://merlon@10.0.0.7:5432/merlon')).toEqual({})
  expect(ssl('postgres://merlon@127.0.0.1/merlon?host=10.0.0.7')).toEqual({})
  for (const local of ['127.0.0.1', 'localhost', '[::1]'])
    expect(ssl(`postgres://merlon@${local}/merlon`)).toBeUndefined()
  expect(ssl('postgres:///merlon?host=/var/run/postgresql')).toBeUndefined()
  expect(ssl('postgres://merlon@db.example/merlon?sslmode=disable')).toBe(false)
})

test('the certificate of the database is verified: its own authority opens, another does not, plain text is refused', async () => {
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' })
  for (const name of ['ca', 'stranger']) {
    const subject = ['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE']
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      ...subject,
    )
  }
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
    '-subj',
    '/CN=localhost',
  )
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\n')
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'server.pem',
    '-days',
    '2',
    '-extfile',
    'names',
  )
  chmodSync(join(folder, 'server.key'), 0o600)
  if (process.getuid?.() === 0) execFileSync('chown', ['postgres', join(folder, 'server.key')])
  await asBoss(`ALTER SYSTEM SET ssl_cert_file = '${join(folder, 'server.pem')}'`)
  await asBoss(`ALTER SYSTEM SET ssl_key_file = '${join(folder, 'server.key')}'`)
  await asBoss('ALTER SYSTEM SET ssl = on')
  await asBoss('SELECT pg_reload_conf()')
  await asBoss("ALTER ROLE merlon PASSWORD 'over-tls'")
  const place = (ca: string, host: string) => ({
    url: `postgres://merlon:over-tls@${host}:${server.port}/postgres?sslmode=verify-full&sslrootcert=${join(folder, ca)}`,
    schema: 'tls',
    node: 'a',
  })

  const store = await openPostgres(place('ca.pem', 'localhost'))
  await store.run((unit) => unit.put('k', { n: 1 }))
  const sessions = await asBoss(
    "SELECT bool_and(ssl) AS all FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'merlon'",
  )
  expect(sessions).toEqual([{ all: true }])
  await store.close()

  await expect(openPostgres(place('stranger.pem', 'localhost'))).rejects.toThrow(/certificate|signature/)
  await expect(openPostgres(place('ca.pem', '127.0.0.1'))).rejects.toThrow(/127\.0\.0\.1|altnames/i)
})
