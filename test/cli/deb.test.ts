/** The Debian package, built by dpkg-deb and installed by dpkg into a directory of its own. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildDeb } from '../../tools/deb/build-deb.mjs'
import { temporaryFolder } from '../process.ts'

const BUILD_MS_MAX = 600_000
const folder = temporaryFolder()
const root = join(folder, 'root')
let file: string

beforeAll(() => {
  file = buildDeb(folder)
}, BUILD_MS_MAX)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const dpkg = (...words: readonly string[]) =>
  spawnSync(
    'dpkg',
    // Node.js and systemd are not in the empty directory; the scripts run here, and honor DPKG_ROOT.
    [`--root=${root}`, '--force-depends', '--force-script-chrootless', '--no-triggers', ...words],
    { encoding: 'utf8' },
  )

test('says what it is, and needs Node.js 20.19', () => {
  const control = execFileSync('dpkg-deb', ['--field', file], { encoding: 'utf8' })

  expect(control).toMatch(/^Package: merlon$/m)
  expect(control).toMatch(/^Depends: nodejs \(>= 20\.19\)/m)
  const contents = execFileSync('dpkg-deb', ['--contents', file], { encoding: 'utf8', maxBuffer: 1e8 })
  const foreign = contents.split('\n').filter((line) => line !== '' && !/ root\/root /.test(line))
  expect(foreign).toEqual([])
  // Nothing of the set-user-ID kind, and nothing that others may write.
  expect(contents.split('\n').filter((line) => /^-..s|^-.....s|^.{8}w/.test(line))).toEqual([])
})

// Only root installs packages; CI is root.
test.skipIf(process.getuid?.() !== 0)('is installed with its user, its directory and its unit, and runs', () => {
  mkdirSync(join(root, 'var/lib/dpkg'), { recursive: true })
  writeFileSync(join(root, 'var/lib/dpkg/status'), '')
  const before = readFileSync('/etc/passwd', 'utf8')

  const installed = dpkg('--install', file)

  expect(installed.stderr + installed.stdout).toContain('Setting up merlon')
  expect(installed.status).toBe(0)
  const [, uid] = /^merlon:x:(\d+):\d+:Merlon server:\/var\/lib\/merlon:/m.exec(
    readFileSync(join(root, 'etc/passwd'), 'utf8'),
  )!
  expect(readFileSync('/etc/passwd', 'utf8')).toBe(before)
  const data = statSync(join(root, 'var/lib/merlon'))
  expect([data.mode & 0o777, data.uid]).toEqual([0o700, Number(uid)])
  const unit = readFileSync(join(root, 'usr/lib/systemd/system/merlon.service'), 'utf8')
  expect(unit).toMatch(/^User=merlon$/m)
  expect(unit).not.toMatch(/DynamicUser|npm install/)
  expect(unit).toContain('ExecStart=/usr/bin/merlon start')

  const program = join(root, 'usr/lib/merlon/dist/merlon.js')
  const made = spawnSync(process.execPath, [program, 'init', '--data', join(folder, 'data')], { encoding: 'utf8' })
  expect(made.stdout).toContain('AWS_ACCESS_KEY_ID')
  expect(readFileSync(join(root, 'usr/bin/merlon'), 'utf8')).toContain('/usr/lib/merlon/dist/merlon.js')

  // Data and keys stay, whatever happens to the package.
  writeFileSync(join(root, 'var/lib/merlon/root.key'), 'x')
  expect(dpkg('--purge', 'merlon').stdout).toContain('are kept')
  expect(existsSync(join(root, 'var/lib/merlon/root.key'))).toBe(true)
  expect(existsSync(join(root, 'etc/merlon/environment'))).toBe(false)
  expect(existsSync(join(root, 'usr/bin/merlon'))).toBe(false)
})

const analyze = spawnSync('systemd-analyze', ['--version'])
test.skipIf(analyze.error && !process.env['CI'])('its unit is one that systemd accepts', () => {
  const unit = join(folder, 'unit')
  mkdirSync(unit)
  execFileSync('dpkg-deb', ['--extract', file, unit])

  const { stdout } = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--no-pager', join(unit, 'usr/lib/systemd/system/merlon.service')],
    { encoding: 'utf8' },
  )

  expect(Number(/Overall exposure level for merlon\.service: ([\d.]+)/.exec(stdout)![1])).toBeLessThan(2)
})
