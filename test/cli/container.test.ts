/**
 * The Dockerfile's last stage, built and run by Podman as compose.yaml says. Its first stage needs a base image from a registry: the
 * root file system that it makes is made here by the same script.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { buildRoot, USER } from '../../tools/image/build-root.mjs'
import { temporaryFolder } from '../process.ts'

/** Health checks by a timer need systemd. Limits above those of this process are not this process's to give. */
const RUN = ['run', '--detach', '--health-interval=disable', '--ulimit=nofile=1024:4096', '--ulimit=nproc=512:1024']
const IMAGE = `merlon-test-${process.pid}`
const READY_MS_MAX = 120_000

/** `runc` runs where control groups of both versions are mounted, too. */
const podman = (...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync('podman', ['--runtime', 'runc', ...words], { encoding: 'utf8' })
  return { status, output: stdout.trim(), log: stdout + stderr }
}
const done = (...words: readonly string[]): string => {
  const { status, output, log } = podman(...words)
  if (status !== 0) throw new Error(`podman ${words.join(' ')}: ${log}`)
  return output
}

interface ComposeService {
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly tmpfs: readonly string[]
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly read_only: boolean
}
const repository = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
const { services } = parse(repository('compose.yaml')) as { services: Record<string, ComposeService> }

/** What `docker compose up` would run. */
function composed(name: string): string {
  const service = services[name]!
  return done(
    ...RUN,
    ...(service.read_only ? ['--read-only'] : []),
    ...service.tmpfs.map((path) => `--tmpfs=${path}`),
    ...service.cap_drop.map((capability) => `--cap-drop=${capability}`),
    ...service.security_opt.map((option) => `--security-opt=${option.replace(':true', '')}`),
    ...(service.volumes ?? []).map((volume) => `--volume=${IMAGE}-${volume}`),
    ...Object.entries(service.environment).map(([key, value]) => `--env=${key}=${value}`),
    '--publish=127.0.0.1::4566',
    IMAGE,
    ...service.command,
  )
}

async function ready(container: string): Promise<string> {
  await expect.poll(() => podman('logs', container).log, { timeout: READY_MS_MAX }).toMatch(/^Ready\.$/m)
  return `http://${done('port', container, '4566')}`
}

const canRun = podman('info').status === 0

describe.skipIf(!canRun)('The image in a container engine', () => {
  const folder = temporaryFolder()
  const containers: string[] = []
  const run = (name: string) => {
    containers.push(composed(name))
    return containers.at(-1)!
  }

  beforeAll(() => {
    const at = (name: string) => join(folder, name)
    buildRoot(at('image'))
    const lastStage = repository('Dockerfile').slice(repository('Dockerfile').indexOf('\nFROM scratch') + 1)
    writeFileSync(
      at('Dockerfile'),
      lastStage.replaceAll('--from=build ', '').replaceAll(/ \/(image|volumes) /g, ' $1 '),
    )
    mkdirSync(at('volumes'))
    for (const name of ['data', 'keys']) renameSync(at(`image/${name}`), at(`volumes/${name}`))
    done('build', '--quiet', '--format', 'docker', '--tag', IMAGE, folder)
  })
  afterAll(() => {
    for (const container of containers) podman('rm', '--force', '--volumes', container)
    for (const name of ['data', 'keys']) podman('volume', 'rm', '--force', `${IMAGE}-${name}`)
    podman('rmi', '--force', IMAGE)
    rmSync(folder, { recursive: true, force: true })
  })

  test('keeps data and key in volumes of its user, ends in order by SIGTERM, and goes on', async () => {
    const container = run('merlon')
    const url = await ready(container)
    const [, id, secret] = /AWS_ACCESS_KEY_ID=(\S+)\s+(?:export )?AWS_SECRET_ACCESS_KEY=(\S+)/.exec(
      podman('logs', container).log,
    )!
    const client = (address: string) =>
      new Client({ credential: { accessKeyId: id!, secret: secret! }, transport: overHttp(address) })
    await client(url).query('iam', 'CreateUser', { UserName: 'kept' })
    expect(done('inspect', '--format', '{{.Config.User}}', container)).toBe(`${USER}:${USER}`)

    done('stop', '--time', '60', container)
    expect(done('inspect', '--format', '{{.State.ExitCode}}', container)).toBe('0')
    expect(podman('logs', container).log).toContain('"message":"stopped"')

    podman('start', container)
    await expect
      .poll(() => podman('logs', container).log.match(/^Ready\.$/gm)?.length, { timeout: READY_MS_MAX })
      .toBe(2)
    const again = `http://${done('port', container, '4566')}`
    expect(await client(again).query('iam', 'ListUsers')).toContain('<UserName>kept</UserName>')
  })

  test('is healthy by its own HEALTHCHECK, and serves tests in memory', async () => {
    const container = run('dev')
    const url = await ready(container)
    const { MERLON_ROOT_ACCESS_KEY_ID: accessKeyId, MERLON_ROOT_SECRET_ACCESS_KEY: secret } =
      services['dev']!.environment
    const client = new Client({
      credential: { accessKeyId: accessKeyId!, secret: secret! },
      transport: overHttp(url),
    })

    expect(podman('healthcheck', 'run', container).status).toBe(0)
    expect(await client.query('sts', 'GetCallerIdentity')).toContain(':root')
    expect((await fetch(`${url}/?Action=GetCallerIdentity&Version=2011-06-15`)).status).toBe(403)
  })
})
