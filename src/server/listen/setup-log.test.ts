/** Clients that are set up wrongly: AWS's error for them, and one line in the log that says what to do. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { beforeEach, describe, expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'
import type { Logger } from '../compose/log.ts'
import { SetupLog } from './setup-log.ts'

let lines: { readonly level: string; readonly message: string; readonly facts: object }[]
let log: SetupLog

beforeEach(() => {
  lines = []
  const logger: Logger = { log: (level, message, facts = {}) => void lines.push({ level, message, facts }) }
  log = new SetupLog(logger)
})

/** The answer of a whole server, and what is logged for it. */
async function refused(change: {
  readonly key?: string
  readonly region?: string
  readonly offsetMs?: number
  readonly headers?: (headers: readonly string[]) => readonly string[]
}) {
  const it = await cloud({
    tamper: (request) => ({ ...request, rawHeaders: change.headers?.(request.rawHeaders) ?? request.rawHeaders }),
  })
  const keys = change.key === undefined ? it.root : { accessKeyId: change.key, secretAccessKey: change.key }
  const sts = it.client(STSClient, keys, change.region)
  sts.config.systemClockOffset += change.offsetMs ?? 0
  const error = await sts.send(new GetCallerIdentityCommand({})).then(
    () => undefined,
    (failure: Error) => failure,
  )
  for (const { mistake } of it.answers) if (mistake) log.note(mistake)
  return { name: error?.name, lines: lines.map(({ message }) => message) }
}

describe('AWS’s error, and what to do in the log, for', () => {
  test.each(['test', 'testing', 'mock', '000000000000', 'AKIAIOSFODNN7EXAMPLE', 'LKIAQAAAAAAAAAAAAAAA'])(
    'the key %s of emulators and examples',
    async (key) => {
      const { name, lines } = await refused({ key })

      expect(name).toBe('InvalidClientTokenId')
      expect(lines).toEqual([expect.stringContaining(`'${key}', which no user here has: set AWS_ACCESS_KEY_ID`)])
    },
  )

  test.each([
    [-3_600_000, 'is \\d{4} seconds behind'],
    [3_600_000, 'is \\d{4} seconds ahead'],
  ])('a clock that is off by %d ms', async (offsetMs, text) => {
    const { name, lines } = await refused({ offsetMs })

    expect(name).toBe('SignatureDoesNotMatch')
    expect(lines).toEqual([expect.stringMatching(new RegExp(`${text} of this server's: set it by NTP`))])
  })

  test('a Region that does not exist', async () => {
    const { name, lines } = await refused({ region: 'local' })

    expect(name).toBe('SignatureDoesNotMatch')
    expect(lines).toEqual([expect.stringContaining('set AWS_REGION')])
  })

  test('no signature at all', async () => {
    const { name, lines } = await refused({
      headers: (headers) => headers.filter((_, n) => !/^authorization$/i.test(headers[n - (n % 2)]!)),
    })

    expect(name).toBe('MissingAuthenticationToken')
    expect(lines).toEqual([expect.stringContaining('does not sign its requests')])
  })

  test('a host name of LocalStack', async () => {
    const { lines } = await refused({
      key: 'unknown-key-of-some-kind',
      headers: (headers) =>
        headers.map((text, n) => (/^host$/i.test(headers[n - 1] ?? '') ? 'x.localhost.localstack.cloud:4566' : text)),
    })

    expect(lines).toEqual([expect.stringContaining('path-style addressing')])
  })
})

test('a real key whose secret is wrong, and a denied call, are no mistakes of settings', async () => {
  expect((await refused({ key: 'AKIAREALREALREALREAL' })).lines).toEqual([])
  const it = await cloud()
  await it
    .client(STSClient, { ...it.root, secretAccessKey: 'wrong' })
    .send(new GetCallerIdentityCommand({}))
    .catch(() => undefined)
  const ann = await it.user('ann')
  const { IAMClient, ListUsersCommand } = await import('@aws-sdk/client-iam')
  await it
    .client(IAMClient, ann)
    .send(new ListUsersCommand({}))
    .catch(() => undefined)

  expect(it.answers.flatMap(({ mistake }) => mistake ?? [])).toEqual([])
})

test('one line a minute for each kind, whatever comes in', () => {
  for (let at = 0; at < 59_999; at += 1_000) log.note({ kind: 'unsigned' }, at)
  log.note({ kind: 'region' }, 59_999)
  log.note({ kind: 'unsigned' }, 60_000)

  expect(lines.map(({ facts }) => (facts as { mistake: string }).mistake)).toEqual(['unsigned', 'region', 'unsigned'])
})
