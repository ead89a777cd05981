/** Versions of a secret and the labels on them. */
import { readFileSync } from 'node:fs'
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager'
import { describe, expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'

const token = (letter: string) => letter.repeat(32)
const [A, B, C] = ['a', 'b', 'c'].map(token) as [string, string, string]
const NAME = { [A]: 'a', [B]: 'b', [C]: 'c' }

async function secret(first: string | undefined = A) {
  const world = await cloud()
  const sm = world.client(SecretsManagerClient)
  await sm.send(
    new CreateSecretCommand({ Name: 's', ...(first && { SecretString: NAME[first], ClientRequestToken: first }) }),
  )
  return { ...world, sm }
}

type SM = SecretsManagerClient

/** `a:AWSCURRENT b:AWSPENDING`: the labels as clients read them. */
async function labels(sm: SM): Promise<string> {
  const { VersionIdsToStages = {} } = await sm.send(new DescribeSecretCommand({ SecretId: 's' }))
  return Object.entries(VersionIdsToStages)
    .map(([id, stages]) => `${NAME[id]}:${[...stages].sort().join('+')}`)
    .sort()
    .join(' ')
}

const put = (id: string, ...VersionStages: string[]) => ({
  told: `put ${NAME[id]}${VersionStages.length ? ` as ${VersionStages}` : ''}`,
  do: (sm: SM) =>
    sm.send(
      new PutSecretValueCommand({
        SecretId: 's',
        ClientRequestToken: id,
        SecretString: NAME[id],
        ...(VersionStages.length > 0 && { VersionStages }),
      }),
    ),
})
const update = (id: string) => ({
  told: `update to ${NAME[id]}`,
  do: (sm: SM) => sm.send(new UpdateSecretCommand({ SecretId: 's', ClientRequestToken: id, SecretString: NAME[id] })),
})
const move = (VersionStage: string, RemoveFromVersionId: string | undefined, MoveToVersionId: string | undefined) => ({
  told: `move ${VersionStage} from ${RemoveFromVersionId && NAME[RemoveFromVersionId]} to ${MoveToVersionId && NAME[MoveToVersionId]}`,
  do: (sm: SM) =>
    sm.send(new UpdateSecretVersionStageCommand({ SecretId: 's', VersionStage, RemoveFromVersionId, MoveToVersionId })),
})

type Act = ReturnType<typeof put> | ReturnType<typeof update> | ReturnType<typeof move>

interface Transition {
  readonly before: readonly Written[]
  readonly act: Written
  /** The labels then, or the error that leaves them as they were. */
  readonly then: string
}
/** `["put", "b", …labels]`, `["update", "b"]`, `["move", label, from, to]`. */
type Written = readonly (string | null)[]

/** The golden file, which the stock `aws` command is held to as well (test/clients/secret-labels.test.ts). */
const TRANSITIONS: readonly Transition[] = JSON.parse(
  readFileSync(new URL('./label-transitions.json', import.meta.url), 'utf8'),
)

const ID: Readonly<Record<string, string>> = { a: A, b: B, c: C }
const idOf = (letter: string | null | undefined) => (letter ? ID[letter] : undefined)

function read([kind, first, ...rest]: Written): Act {
  switch (kind) {
    case 'put':
      return put(idOf(first)!, ...rest.map(String))
    case 'update':
      return update(idOf(first)!)
    default:
      return move(first!, idOf(rest[0]), idOf(rest[1]))
  }
}

describe('Secrets 1: labels move as in AWS', () => {
  test.each(
    TRANSITIONS.map(
      ({ before, act, then }) =>
        [[...before, act].map((each) => read(each).told).join(', '), then, before, act] as const,
    ),
  )('%s: %s', async (_told, then, before, act) => {
    const { sm } = await secret()
    for (const earlier of before) await read(earlier).do(sm)
    const standing = await labels(sm)

    const error = await read(act)
      .do(sm)
      .then(
        () => undefined,
        ({ name }: Error) => name,
      )

    expect(error ?? (await labels(sm))).toBe(then)
    if (error) expect(await labels(sm)).toBe(standing)
  })

  test('the first value is the current one, whatever labels the request has', async () => {
    const { sm } = await secret('')
    expect(await labels(sm)).toBe('')
    await expect(sm.send(new GetSecretValueCommand({ SecretId: 's' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    })

    await put(B, 'blue').do(sm)

    expect(await labels(sm)).toBe('b:AWSCURRENT+blue')
    expect((await sm.send(new GetSecretValueCommand({ SecretId: 's' }))).SecretString).toBe('b')
  })

  test('twenty labels a version, of 1 to 256 characters', async () => {
    const { sm } = await secret()
    for (let i = 0; i < 19; i++) await move(`label-${i}`, undefined, A).do(sm)
    await expect(move('one-more', undefined, A).do(sm)).rejects.toMatchObject({ name: 'LimitExceededException' })
    await expect(move('x'.repeat(257), undefined, A).do(sm)).rejects.toThrow(/256/)
  })
})

describe('A value', () => {
  test('is found by its label, its version, or both where they agree', async () => {
    const { sm } = await secret()
    await put(B).do(sm)
    const get = async (VersionId?: string, VersionStage?: string) =>
      (await sm.send(new GetSecretValueCommand({ SecretId: 's', VersionId, VersionStage }))).SecretString

    expect(await get()).toBe('b')
    expect(await get(A)).toBe('a')
    expect(await get(undefined, 'AWSPREVIOUS')).toBe('a')
    expect(await get(A, 'AWSPREVIOUS')).toBe('a')
    await expect(get(A, 'AWSCURRENT')).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: 'You provided a VersionStage that is not associated to the provided VersionId.',
    })
    await expect(get(C)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  test('put twice under one token is put once; another value under it is refused', async () => {
    const { sm } = await secret()
    const again = { SecretId: 's', ClientRequestToken: A, SecretString: 'a' }
    expect(await sm.send(new PutSecretValueCommand(again))).toMatchObject({
      VersionId: A,
      VersionStages: ['AWSCURRENT'],
    })
    await expect(sm.send(new PutSecretValueCommand({ ...again, SecretString: 'z' }))).rejects.toMatchObject({
      name: 'ResourceExistsException',
    })
    expect((await sm.send(new GetSecretValueCommand({ SecretId: 's' }))).SecretString).toBe('a')
  })

  test('is text or bytes of up to 65,536 bytes, unchanged', async () => {
    const { sm } = await secret()
    const bytes = Buffer.alloc(65_536, 7)
    await sm.send(new PutSecretValueCommand({ SecretId: 's', SecretBinary: bytes }))
    const found = await sm.send(new GetSecretValueCommand({ SecretId: 's' }))
    expect(Buffer.from(found.SecretBinary!).equals(bytes)).toBe(true)
    expect(found.SecretString).toBeUndefined()

    const tooLong = { SecretId: 's', SecretString: 'é'.repeat(32_769) }
    await expect(sm.send(new PutSecretValueCommand(tooLong))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    })
    const both = { SecretId: 's', SecretString: 'x', SecretBinary: bytes }
    await expect(sm.send(new PutSecretValueCommand(both))).rejects.toMatchObject({ name: 'InvalidParameterException' })
    await expect(sm.send(new PutSecretValueCommand({ SecretId: 's' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    })
    expect(Buffer.from((await sm.send(new GetSecretValueCommand({ SecretId: 's' }))).SecretBinary!).length).toBe(65_536)
  })

  test('without a label is hidden, and goes when there are more than a hundred and it is a day old', async () => {
    const { clock, client } = await secret()
    const sm = () => client(SecretsManagerClient)
    const all = async () => {
      const ids: string[] = []
      let NextToken: string | undefined
      do {
        const page = await sm().send(
          new ListSecretVersionIdsCommand({ SecretId: 's', IncludeDeprecated: true, MaxResults: 40, NextToken }),
        )
        ids.push(...page.Versions!.map(({ VersionId }) => VersionId!))
        NextToken = page.NextToken
      } while (NextToken)
      return ids
    }
    for (let i = 0; i < 110; i++) await sm().send(new PutSecretValueCommand({ SecretId: 's', SecretString: `${i}` }))
    expect((await all()).length).toBe(111)
    expect((await sm().send(new ListSecretVersionIdsCommand({ SecretId: 's' }))).Versions).toHaveLength(2)

    clock.advance(25 * 3_600_000)
    await sm().send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'last' }))

    const left = await all()
    expect(left.length).toBe(100)
    expect(new Set(left).size).toBe(100)
  })
})
