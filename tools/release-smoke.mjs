/**
 * `node tools/release-smoke.mjs`: what people install, as they install it. Packs the release (`npm run build` first), installs the
 * tarball into an empty directory for each Node, and runs the demonstration, a TypeScript consumer, a CommonJS one, and the Vitest
 * example, whose time it prints. Node comes from npm's packages of its binaries. MERLON_SMOKE_NODES names versions, with blanks between
 * them; MERLON_SMOKE_CACHE the directory where their binaries are kept (default: one in the system's temporary directory).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
export const NODES = ['20.20.2', '22.23.5', '24.22.3']
const TIMEOUT_MS = 300_000

const CONSUMER = `
import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import { startMerlon, type Merlon } from 'merlon'
import { loadPolicies } from 'merlon/policy/testing'

const describe = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '*' }] }
const merlon: Merlon = await startMerlon({ seed: { users: [{ name: 'ann', inline: { describe } }], kmsKeys: [{ alias: 'a' }] } })
try {
  const kms = merlon.client(KMSClient, { credentials: await merlon.credentialsFor('ann') })
  await kms.send(new DescribeKeyCommand({ KeyId: 'alias/a' }))
  const denied: string = await kms.send(new ListKeysCommand({})).then(() => 'allowed', (error: Error) => error.name)
  const allowed: boolean = loadPolicies({}).decide({ principal: 'anonymous', action: 's3:GetObject' }).allowed
  console.log(denied, allowed, (await merlon.denied()).length)
} finally {
  await merlon.stop()
}
`

const COMMONJS = `
const { startMerlon } = require('merlon')
const { MerlonContainer } = require('merlon/testcontainers')
startMerlon({ seed: { users: [{ name: 'ann' }] } }).then(async (merlon) => {
  console.log((await merlon.events()).length, merlon.accountId, typeof MerlonContainer)
  await merlon.stop()
})
`

/** The binary of a version: this process's own, or that of npm's package. */
export function nodeBinary(version) {
  if (process.versions.node === version) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const cache = process.env['MERLON_SMOKE_CACHE'] ?? join(tmpdir(), 'merlon-smoke-nodes')
  const folder = join(cache, `${name}-${version}`)
  const binary = join(folder, 'package/bin/node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder, `${name}@${version}`], folder))
  execFileSync('tar', ['xzf', packed.filename, 'package/bin/node'], { cwd: folder })
  rmSync(join(folder, packed.filename))
  return binary
}

function npm(words, cwd) {
  return execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}

/** Packs the build; returns the path of the tarball. */
export function pack(folder) {
  const [packed] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root))
  return join(folder, packed.filename)
}

/** Runs a program to its end. Throws with its output when it fails, or warns of something experimental. */
function run(node, words, cwd, environment = {}) {
  const { VITEST: _, NODE_OPTIONS: __, ...inherited } = process.env
  const env = { ...inherited, PATH: `${dirname(node)}:${inherited['PATH']}`, ...environment }
  const begun = performance.now()
  const { status, stdout, stderr } = spawnSync(node, words, { cwd, env, encoding: 'utf8', timeout: TIMEOUT_MS })
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  if (/ExperimentalWarning/.test(stderr)) throw new Error(`${words.join(' ')} warns:\n${stderr}`)
  return { stdout, seconds: (performance.now() - begun) / 1000 }
}

/** Installs the tarball into an empty directory, and runs everything there by a Node. Returns the seconds of the Vitest example. */
export function smoke(tarball, version) {
  const node = nodeBinary(version)
  const folder = mkdtempSync(join(tmpdir(), 'merlon-smoke-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}\n')
    const env = { ...process.env, PATH: `${dirname(node)}:${process.env['PATH']}` }
    const options = ['--no-audit', '--no-fund', '--prefer-offline', '--omit=peer']
    execFileSync('npm', ['install', ...options, tarball], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
    // What a project has beside it, as this repository has it.
    for (const name of ['@aws-sdk', 'typescript', 'vitest', '@types'])
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
    const installed = join(folder, 'node_modules/merlon/dist/merlon.js')
    const shown = run(node, [installed, '--version'], folder).stdout.trim()

    const demo = run(node, [installed, 'demo'], folder).stdout
    if (!demo.includes('AccessDenied')) throw new Error(`The demonstration denies nothing:\n${demo}`)

    writeFileSync(join(folder, 'consumer.ts'), CONSUMER)
    const compile = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable']
    run(node, [join(root, 'node_modules/typescript/bin/tsc'), ...compile, '--types', 'node', 'consumer.ts'], folder)
    expectOutput(run(node, ['consumer.js'], folder).stdout, 'AccessDeniedException false 1\n')

    writeFileSync(join(folder, 'consumer.cjs'), COMMONJS)
    expectOutput(run(node, ['consumer.cjs'], folder).stdout, '1 123456789012 function\n')

    cpSync(join(root, 'examples/vitest'), join(folder, 'example'), { recursive: true })
    const vitest = join(folder, 'node_modules/vitest/vitest.mjs')
    const { seconds } = run(node, [vitest, 'run'], join(folder, 'example'))
    return { shown, seconds }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function expectOutput(actual, expected) {
  if (actual !== expected) throw new Error(`Expected ${JSON.stringify(expected)}, not ${JSON.stringify(actual)}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-pack-'))
  try {
    const tarball = pack(folder)
    for (const version of (process.env['MERLON_SMOKE_NODES'] ?? NODES.join(' ')).split(/\s+/)) {
      const { shown, seconds } = smoke(tarball, version)
      console.log(`Node ${version}: ${shown}, demo, TypeScript, CommonJS; examples/vitest in ${seconds.toFixed(1)} s`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
