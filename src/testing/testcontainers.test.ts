/** MerlonContainer against a fake container runtime: what it requests of a real one, and how it waits. Nothing runs in a container here. */
import { describe, expect, test } from 'vitest'
import { type ContainerRuntime, MerlonContainer } from './testcontainers.ts'

interface Requested {
  image?: string
  ports?: number[]
  command?: string[]
  environment?: Record<string, string>
  files?: { content: string; target: string; mode?: number }[]
  waitsFor?: unknown
  timeoutMs?: number
  stopped?: boolean
}

/** Remembers what a test run would request of the package `testcontainers`. */
function fakeContainerRuntime(): { readonly runtime: ContainerRuntime; readonly requested: Requested } {
  const requested: Requested = {}
  class FakeContainer {
    constructor(image: string) {
      requested.image = image
    }
    withExposedPorts(...ports: number[]) {
      requested.ports = ports
      return this
    }
    withCommand(command: string[]) {
      requested.command = command
      return this
    }
    withEnvironment(environment: Record<string, string>) {
      requested.environment = environment
      return this
    }
    withCopyContentToContainer(files: { content: string; target: string; mode?: number }[]) {
      requested.files = files
      return this
    }
    withWaitStrategy(strategy: unknown) {
      requested.waitsFor = strategy
      return this
    }
    withStartupTimeout(ms: number) {
      requested.timeoutMs = ms
      return this
    }
    async start() {
      return {
        getHost: () => 'docker.test',
        getMappedPort: (port: number) => 30_000 + port,
        stop: async () => {
          requested.stopped = true
        },
      }
    }
  }
  return { runtime: { GenericContainer: FakeContainer, Wait: { forLogMessage: (text) => `log: ${text}` } }, requested }
}

const seedIn = ({ files }: Requested) => JSON.parse(files![0]!.content)

describe('MerlonContainer', () => {
  test('starts a development server that containers can reach, and waits for its line', async () => {
    const { runtime, requested } = fakeContainerRuntime()

    const merlon = await new MerlonContainer('merlon:test', { runtime, args: ['--log', 'debug'] }).start()

    expect(requested).toMatchObject({ image: 'merlon:test', ports: [4566], waitsFor: 'log: Ready.', timeoutMs: 60_000 })
    expect(requested.command!.slice(0, 5)).toEqual(['start', '--dev', '--host', '0.0.0.0', '--allow-remote-dev'])
    expect(requested.command!.slice(-4)).toEqual(['--seed', '/tmp/seed.json', '--log', 'debug'])
    expect(requested.files).toMatchObject([{ target: '/tmp/seed.json', mode: 0o644 }])
    expect(merlon).toMatchObject({
      endpoint: 'http://docker.test:34566',
      accountId: '123456789012',
      region: 'us-east-1',
    })
    expect(merlon.environment).toMatchObject({
      AWS_ENDPOINT_URL: 'http://docker.test:34566',
      AWS_ACCESS_KEY_ID: merlon.credentials.accessKeyId,
    })
  })

  test('the keys are new for each server, and of an administrator and the root user', async () => {
    const { runtime, requested } = fakeContainerRuntime()

    const merlon = await new MerlonContainer('merlon', { runtime }).start()
    const other = await new MerlonContainer('merlon', { runtime: fakeContainerRuntime().runtime }).start()

    const { accessKeyId, secretAccessKey } = merlon.credentials
    expect(seedIn(requested).accounts).toEqual([
      {
        id: '123456789012',
        users: [
          {
            name: 'admin',
            policies: ['arn:aws:iam::aws:policy/AdministratorAccess'],
            keys: [{ id: accessKeyId, secret: secretAccessKey }],
          },
        ],
      },
    ])
    expect(accessKeyId).toMatch(/^AKIA[0-9A-F]{16}$/)
    expect(requested.environment).toEqual({
      MERLON_ACCOUNT_ID: '123456789012',
      MERLON_ROOT_ACCESS_KEY_ID: merlon.rootCredentials.accessKeyId,
      MERLON_ROOT_SECRET_ACCESS_KEY: merlon.rootCredentials.secretAccessKey,
    })
    expect(other.credentials).not.toEqual(merlon.credentials)
  })

  test('a seed keeps its users, and its own administrator', async () => {
    const { runtime, requested } = fakeContainerRuntime()
    const seed = { accounts: [{ id: '111122223333', users: [{ name: 'admin', groups: ['ops'] }, { name: 'ann' }] }] }

    const merlon = await new MerlonContainer('merlon', { runtime, seed }).start()

    expect(merlon.accountId).toBe('111122223333')
    expect(seedIn(requested).accounts[0].users).toMatchObject([{ name: 'ann' }, { name: 'admin', groups: ['ops'] }])
    expect(seedIn(requested).accounts[0].users[1].policies).toBeUndefined()
  })

  test('stops its container, also at the end of a block', async () => {
    const { runtime, requested } = fakeContainerRuntime()
    {
      await using merlon = await new MerlonContainer('merlon', { runtime }).start()
      expect(merlon.container.getHost()).toBe('docker.test')
    }

    expect(requested.stopped).toBe(true)
  })

  test('says what is missing where testcontainers is not installed', async () => {
    await expect(new MerlonContainer('merlon').start()).rejects.toThrow('npm install --save-dev testcontainers')
  })
})
