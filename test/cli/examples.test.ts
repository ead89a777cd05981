/** The examples, as people run them: with the packed package installed beside them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { findMirror, writeCliConfig } from '../clients/terraform-mirror.ts'
import { merlonScript, startMerlon, temporaryFolder } from '../process.ts'
import { freePort } from '../rotation/databases.ts'

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

test('examples/cdk passes with the installed package', { timeout: 300_000 }, () => {
  const here = join(folder, 'cdk')
  cpSync(join(root, 'examples/cdk'), here, { recursive: true })
  // Too large to be installed with the repository: its tests need the npm registry.
  const install = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', join(folder, 'cdk-library')]
  const library = run('npm', [...install, 'aws-cdk-lib@2.276.0', 'constructs@10.8.1'], folder)
  expect(library.status, library.output).toBe(0)
  symlinkSync(join(folder, 'cdk-library/node_modules'), join(here, 'node_modules'))

  const { status, output } = run(process.execPath, [join(folder, 'node_modules/vitest/vitest.mjs'), 'run'], here)

  expect(output).toContain('2 passed')
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

test('the steps of examples/github-actions do what they say, with the installed package', async () => {
  const here = join(folder, 'github-actions')
  cpSync(join(root, 'examples/github-actions'), here, { recursive: true })
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const programs = { merlon: 'merlon/dist/merlon.js', vitest: 'vitest/vitest.mjs' }
  const cases = Object.entries(programs).map(
    ([name, file]) => `${name}) exec node '${folder}/node_modules/${file}' "$@";;`,
  )
  // What npm has installed: npx runs it.
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\nprogram=$1; shift\ncase $program in ${cases.join(' ')} esac\n`, {
    mode: 0o755,
  })
  const { jobs } = parse(readFileSync(join(here, 'iam.yml'), 'utf8')) as {
    jobs: Record<string, { steps: { name?: string; run?: string; env?: Record<string, string> }[] }>
  }
  const steps = Object.values(jobs).flatMap(({ steps }) => steps.filter(({ run }) => run && !/^npm install/.test(run)))
  const port = String(await freePort())

  for (const { name, run: script = '', env = {} } of steps) {
    const words = ['-e', '-c', script.replaceAll('4566', port)]
    const { status, output } = run('bash', words, here, { PATH: `${bin}:${process.env['PATH']}`, ...env })
    expect(status, `${name}: ${output}`).toBe(0)
  }

  expect(steps.length).toBe(3)
  expect(JSON.parse(readFileSync(join(here, 'exported.json'), 'utf8')).accounts[0].kmsKeys[0].alias).toBe('orders')
})

test('the seed and the command of examples/compose start a server that its app can use', async () => {
  const here = join(root, 'examples/compose')
  const { services } = parse(readFileSync(join(here, 'compose.yaml'), 'utf8'))
  const { merlon: server, app } = services
  // Not in a container: there is no engine here. On loopback, and on a free port.
  const words = (server.command as string[]).map((word) =>
    word.replace('0.0.0.0', '127.0.0.1').replace('/seed.yaml', join(here, 'seed.yaml')),
  )
  const started = await startMerlon(words.slice(1), server.environment)
  try {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secret } = app.environment
    const client = new Client({ credential: { accessKeyId, secret }, transport: overHttp(started.url) })
    const KeyId = app.command.at(-1)

    expect(await client.json('kms', 'TrentService.DescribeKey', { KeyId })).toMatchObject({
      KeyMetadata: { KeyId: '11111111-2222-3333-4444-555555555555' },
    })
    await expect(client.json('kms', 'TrentService.ListKeys')).rejects.toThrow('not authorized')
  } finally {
    await started.stop('SIGKILL')
  }
})

const mirror = process.env['MERLON_TEST_SKIP_TERRAFORM'] === '1' ? undefined : findMirror()
test.skipIf(mirror === undefined && !process.env['CI'])(
  'examples/terraform is applied, finds nothing left to do, and is destroyed',
  async () => {
    const here = join(folder, 'terraform')
    cpSync(join(root, 'examples/terraform'), here, { recursive: true })
    const server = await startMerlon(['--dev'])
    const [account] = server.accounts
    const environment = {
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: account!.accessKeyId,
      AWS_SECRET_ACCESS_KEY: account!.secretAccessKey,
      TF_CLI_CONFIG_FILE: writeCliConfig(temporaryFolder(), mirror!),
      TF_IN_AUTOMATION: '1',
      CHECKPOINT_DISABLE: '1',
    }
    try {
      for (const words of [
        ['init'],
        ['apply', '-auto-approve'],
        ['plan', '-detailed-exitcode'],
        ['destroy', '-auto-approve'],
      ]) {
        const { status, output } = run('terraform', [...words, '-input=false', '-no-color'], here, environment)
        expect(status, output).toBe(0)
      }
    } finally {
      await server.stop('SIGKILL')
    }
  },
  600_000,
)

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
