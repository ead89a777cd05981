/** The examples, as people run them: with the packed package installed beside them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { merlonScript, temporaryFolder } from '../process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string

beforeAll(() => {
  folder = temporaryFolder()
  const [pack] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  )
  execFileSync('tar', ['xzf', pack.filename], { cwd: folder })
  mkdirSync(join(folder, 'node_modules'))
  // Installed, as npm would: the package from its tarball, everything else as it is here.
  symlinkSync(join(folder, 'package'), join(folder, 'node_modules/merlon'))
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== 'merlon') symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (command: string, words: readonly string[], cwd: string, environment = {}) => {
  const { VITEST: _, ...inherited } = process.env
  const { status, stdout, stderr } = spawnSync(command, words, {
    cwd,
    encoding: 'utf8',
    env: { ...inherited, ...environment },
  })
  return { status, output: stdout + stderr }
}

test('examples/vitest passes with the installed package', () => {
  const here = join(folder, 'vitest')
  cpSync(join(root, 'examples/vitest'), here, { recursive: true })

  const { status, output } = run(process.execPath, [join(folder, 'node_modules/vitest/vitest.mjs'), 'run'], here)

  expect(output).toContain('1 passed')
  expect(status).toBe(0)
})

test('examples/pytest passes with the plugin that the command prints', () => {
  const here = join(folder, 'pytest')
  cpSync(join(root, 'examples/pytest'), here, { recursive: true })
  writeFileSync(join(here, 'conftest_merlon.py'), run(process.execPath, [merlonScript, 'pytest-plugin'], here).output)

  const command = `${process.execPath} ${merlonScript}`
  const { status, output } = run('python3', ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'], here, {
    MERLON_COMMAND: command,
  })

  expect(output).toContain('1 passed')
  expect(status).toBe(0)
})

test('CommonJS requires the package', () => {
  const file = join(folder, 'start.cjs')
  writeFileSync(
    file,
    `const { startMerlon } = require('merlon')
startMerlon({ seed: { users: [{ name: 'ann' }] } }).then(async (merlon) => {
  console.log((await merlon.events()).map(({ eventName }) => eventName).join(), merlon.accountId)
  await merlon.stop()
})`,
  )

  expect(run(process.execPath, [file], folder)).toEqual({ status: 0, output: 'CreateUser 123456789012\n' })
})

test('CommonJS and modules encrypt for each other', () => {
  const use = (form: string) => `${form}
const keyring = new RawAesKeyring({ keyNamespace: 'n', keyName: 'k', key: Buffer.alloc(32, 1) })
const { encrypt, decrypt } = buildClient()
const message = process.argv[2]
if (message) decrypt(keyring, Buffer.from(message, 'base64')).then(({ plaintext }) => console.log(String(plaintext)))
else encrypt(keyring, 'across').then(({ result }) => console.log(result.toString('base64')))`
  writeFileSync(join(folder, 'sdk.cjs'), use("const { buildClient, RawAesKeyring } = require('merlon/encryption-sdk')"))
  writeFileSync(join(folder, 'sdk.mjs'), use("import { buildClient, RawAesKeyring } from 'merlon/encryption-sdk'"))
  for (const [from, to] of [
    ['sdk.cjs', 'sdk.mjs'],
    ['sdk.mjs', 'sdk.cjs'],
  ] as const) {
    const { output } = run(process.execPath, [join(folder, from)], folder)
    expect(run(process.execPath, [join(folder, to), output.trim()], folder).output).toBe('across\n')
  }
})

test('TypeScript finds the types of every entry, in modules and in CommonJS', () => {
  const uses = `import { startMerlon, type Merlon } from 'merlon'
import { loadPolicies } from 'merlon/policy/testing'
import { KMS } from '@aws-sdk/client-kms'
import { buildClient, cacheClients, KmsKeyring } from 'merlon/encryption-sdk'
const keyring = new KmsKeyring({ discovery: true, clientProvider: cacheClients((region) => new KMS({ region })) })
export const opened: Promise<{ plaintext: Buffer }> = buildClient().decrypt(keyring, new Uint8Array(0))
export const begin = (): Promise<Merlon> => startMerlon({ seed: { users: [{ name: 'ann' }] } })
export const allowed: boolean = loadPolicies({}).decide({ principal: 'anonymous', action: 's3:GetObject' }).allowed
`
  for (const name of ['uses.mts', 'uses.cts']) writeFileSync(join(folder, name), uses)
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--lib',
    'es2023,esnext.disposable',
  ]
  const tsc = join(folder, 'node_modules/typescript/bin/tsc')

  expect(run(process.execPath, [tsc, ...options, 'uses.mts', 'uses.cts'], folder)).toEqual({ status: 0, output: '' })
})
