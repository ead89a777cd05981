/** Secrets as a whole: names and ARNs, what describes and lists them, how they go and come back. */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  type CreateSecretCommandInput,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  type GetRandomPasswordCommandInput,
  GetSecretValueCommand,
  ListSecretsCommand,
  type ListSecretsCommandInput,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'

const DAY_MS = 86_400_000

async function world() {
  const it = await cloud()
  const sm = () => it.client(SecretsManagerClient)
  const create = (Name: string, more: Partial<CreateSecretCommandInput> = {}) =>
    sm().send(new CreateSecretCommand({ Name, SecretString: `value of ${Name}`, ...more }))
  const value = async (SecretId: string) => (await sm().send(new GetSecretValueCommand({ SecretId }))).SecretString
  const names = async (input: ListSecretsCommandInput = {}) =>
    (await sm().send(new ListSecretsCommand(input))).SecretList!.map(({ Name }) => Name)
  return { ...it, sm, create, value, names }
}

describe('A secret', () => {
  test('Secrets 11: has its name and six characters in its ARN, and is found by name, ARN, and the ARN without them', async () => {
    const it = await world()
    const { ARN, VersionId } = await it.create('app/db')
    expect(ARN).toMatch(new RegExp(`^arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:app/db-[A-Za-z0-9]{6}$`))
    expect(VersionId).toHaveLength(36)
    for (const id of ['app/db', ARN!, ARN!.slice(0, -7)]) expect(await it.value(id)).toBe('value of app/db')
    for (const id of ['app', `${ARN}x`, ARN!.replace(/.{6}$/, 'AAAAAA'), ARN!.replace('us-east-1', 'eu-west-1')]) {
      await expect(it.value(id)).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
        message: "Secrets Manager can't find the specified secret.",
      })
    }
  })

  test('Secrets 11: whose name looks like the end of an ARN is itself, not another', async () => {
    const it = await world()
    const plain = await it.create('app')
    const trap = await it.create('app-abcdef')
    expect(await it.value('app-abcdef')).toBe('value of app-abcdef')
    expect(await it.value(trap.ARN!)).toBe('value of app-abcdef')
    expect(await it.value(trap.ARN!.slice(0, -7))).toBe('value of app-abcdef')
    expect(await it.value(plain.ARN!)).toBe('value of app')
  })

  test('shows what is set, and leaves out what is not', async () => {
    const it = await world()
    const { ARN, VersionId } = await it.create('bare')
    expect(await it.sm().send(new DescribeSecretCommand({ SecretId: 'bare' }))).toEqual({
      $metadata: expect.anything(),
      ARN,
      Name: 'bare',
      CreatedDate: expect.any(Date),
      LastChangedDate: expect.any(Date),
      VersionIdsToStages: { [VersionId!]: ['AWSCURRENT'] },
    })
    await it.value('bare')
    await it.sm().send(new UpdateSecretCommand({ SecretId: 'bare', Description: 'said' }))
    const described = await it.sm().send(new DescribeSecretCommand({ SecretId: 'bare' }))
    expect(described).toMatchObject({ Description: 'said' })
    expect(described.LastAccessedDate!.getTime() % DAY_MS).toBe(0)
  })

  test.each<[string, Partial<CreateSecretCommandInput>, string]>([
    ['a space in its name', { Name: 'a b' }, 'ValidationException'],
    ['a name of 513 characters', { Name: 'a'.repeat(513) }, 'ValidationException'],
    ['a token of 31 characters', { ClientRequestToken: 'a'.repeat(31) }, 'ValidationException'],
    ['a reserved tag', { Tags: [{ Key: 'aws:x', Value: '' }] }, 'InvalidParameterException'],
    ['a key that does not exist', { KmsKeyId: 'alias/nothing' }, 'InvalidParameterException'],
    ['a value twice', { SecretBinary: Buffer.of(1) }, 'InvalidParameterException'],
  ])('is not made with %s', async (_what, input, name) => {
    const it = await world()
    await expect(it.create('x', input)).rejects.toMatchObject({ name })
    expect(await it.names({ IncludePlannedDeletion: true })).toEqual([])
  })

  test('made again under its token is the same; under another, its name is taken', async () => {
    const it = await world()
    const ClientRequestToken = 'a'.repeat(32)
    const made = await it.create('one', { ClientRequestToken })
    expect(await it.create('one', { ClientRequestToken })).toMatchObject({
      ARN: made.ARN,
      VersionId: ClientRequestToken,
    })
    for (const more of [{}, { ClientRequestToken, SecretString: 'other' }]) {
      await expect(it.create('one', more)).rejects.toMatchObject({ name: 'ResourceExistsException' })
    }
    expect(await it.value('one')).toBe('value of one')
  })

  test.each<ListSecretsCommandInput>([
    {},
    { SortOrder: 'asc' },
    { SortBy: 'name', SortOrder: 'desc' },
    { SortBy: 'name', SortOrder: 'asc' },
    { SortBy: 'last-changed-date' },
  ])('is on one page of the list, though others go and come between pages (%o)', async (order) => {
    const it = await world()
    for (const name of ['a', 'ab', 'b', 'c', 'd', 'e', 'f']) {
      await it.create(name)
      it.clock.advance(1_000)
    }
    const seen: string[] = []
    let NextToken: string | undefined
    do {
      const page = await it.sm().send(new ListSecretsCommand({ ...order, MaxResults: 2, NextToken }))
      const names = page.SecretList!.map(({ Name }) => Name!)
      seen.push(...names)
      for (const SecretId of names)
        await it.sm().send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }))
      NextToken = page.NextToken
    } while (NextToken !== undefined)

    expect(seen.sort()).toEqual(['a', 'ab', 'b', 'c', 'd', 'e', 'f'])
  })

  test('bears tags, which policies look at', async () => {
    const it = await world()
    await it.create('red', { Tags: [{ Key: 'team', Value: 'red' }] })
    await it.create('blue')
    const condition = { StringEquals: { 'aws:ResourceTag/team': 'red' } }
    const ann = it.client(
      SecretsManagerClient,
      await it.user('ann', allowing({ Action: 'secretsmanager:GetSecretValue', Resource: '*', Condition: condition })),
    )
    const get = (SecretId: string) => ann.send(new GetSecretValueCommand({ SecretId }))
    expect((await get('red')).SecretString).toBe('value of red')
    await expect(get('blue')).rejects.toMatchObject({ name: 'AccessDeniedException' })

    await it.sm().send(new TagResourceCommand({ SecretId: 'blue', Tags: [{ Key: 'team', Value: 'red' }] }))
    await it.sm().send(new UntagResourceCommand({ SecretId: 'red', TagKeys: ['team'] }))

    expect((await get('blue')).SecretString).toBe('value of blue')
    await expect(get('red')).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('keeps the tags by which its caller may change them', async () => {
    const it = await world()
    await it.create('red', { Tags: [{ Key: 'team', Value: 'red' }] })
    const condition = { StringEquals: { 'aws:ResourceTag/team': 'red' } }
    const ann = it.client(
      SecretsManagerClient,
      await it.user('ann', allowing({ Action: 'secretsmanager:*', Resource: '*', Condition: condition })),
    )
    const tag = (Key: string, Value: string) =>
      ann.send(new TagResourceCommand({ SecretId: 'red', Tags: [{ Key, Value }] }))

    await tag('stage', 'test')
    await expect(tag('team', 'blue')).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await expect(ann.send(new UntagResourceCommand({ SecretId: 'red', TagKeys: ['team'] }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    await ann.send(new UntagResourceCommand({ SecretId: 'red', TagKeys: ['stage'] }))

    const { Tags } = await it.sm().send(new DescribeSecretCommand({ SecretId: 'red' }))
    expect(Tags).toEqual([{ Key: 'team', Value: 'red' }])
  })
})

describe('A deleted secret', () => {
  test('waits for its day, keeps its name, answers nothing, and comes back', async () => {
    const it = await world()
    await it.create('gone')
    const { DeletionDate } = await it.sm().send(new DeleteSecretCommand({ SecretId: 'gone', RecoveryWindowInDays: 7 }))
    expect(DeletionDate!.getTime() - it.clock.now()).toBeGreaterThan(6.9 * DAY_MS)
    const pending = {
      name: 'InvalidRequestException',
      message: "You can't perform this operation on the secret because it was marked for deletion.",
    }
    await expect(it.value('gone')).rejects.toMatchObject(pending)
    await expect(
      it.sm().send(new PutSecretValueCommand({ SecretId: 'gone', SecretString: 'x' })),
    ).rejects.toMatchObject(pending)
    await expect(it.create('gone')).rejects.toMatchObject({ name: 'InvalidRequestException' })
    expect(await it.names()).toEqual([])
    expect(await it.names({ IncludePlannedDeletion: true })).toEqual(['gone'])
    expect((await it.sm().send(new DescribeSecretCommand({ SecretId: 'gone' }))).DeletedDate).toBeInstanceOf(Date)

    await it.sm().send(new RestoreSecretCommand({ SecretId: 'gone' }))
    await it.pass(8 * DAY_MS)

    expect(await it.value('gone')).toBe('value of gone')
  })

  test('Secrets 11: is gone after its window, and its name makes another secret', async () => {
    const it = await world()
    const before = await it.create('gone')
    await it.sm().send(new DeleteSecretCommand({ SecretId: 'gone' }))
    await it.pass(30 * DAY_MS + 1)

    await expect(it.value('gone')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    const events = (await it.store.evidence(0, 1_000)).map(({ body }) => JSON.parse(body))
    expect(events.filter(({ eventType }) => eventType === 'AwsServiceEvent')).toMatchObject([
      {
        eventName: 'EndSecretVersionDelete',
        eventSource: 'secretsmanager.amazonaws.com',
        userIdentity: { invokedBy: 'secretsmanager.amazonaws.com' },
        resources: [{ ARN: before.ARN }],
      },
    ])
    const after = await it.create('gone')
    expect(after.ARN).not.toBe(before.ARN)
    await expect(it.value(before.ARN!)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  test('goes on its own day, not on the day of an earlier one of its name', async () => {
    const it = await world()
    const remove = (RecoveryWindowInDays: number) =>
      it.sm().send(new DeleteSecretCommand({ SecretId: 'twice', RecoveryWindowInDays }))
    await it.create('twice')
    await remove(7)
    await it.sm().send(new RestoreSecretCommand({ SecretId: 'twice' }))
    await remove(30)
    await it.pass(8 * DAY_MS)
    await it.sm().send(new RestoreSecretCommand({ SecretId: 'twice' }))
    expect(await it.value('twice')).toBe('value of twice')
  })

  test('by force is gone at once, even if it never was', async () => {
    const it = await world()
    await it.create('gone')
    const force = (SecretId: string) =>
      it.sm().send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }))
    await force('gone')
    await expect(it.sm().send(new DescribeSecretCommand({ SecretId: 'gone' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    expect((await force('never')).Name).toBe('never')
    const ARN = `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:app/never-abcdef`
    expect(await force(ARN)).toMatchObject({ ARN, Name: 'app/never' })
    await expect(it.sm().send(new DeleteSecretCommand({ SecretId: 'never' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })

  test.each([
    ['6 days', { RecoveryWindowInDays: 6 }],
    ['31 days', { RecoveryWindowInDays: 31 }],
    ['force and days', { RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true }],
  ])('is not one with %s', async (_what, input) => {
    const it = await world()
    await it.create('kept')
    await expect(it.sm().send(new DeleteSecretCommand({ SecretId: 'kept', ...input }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    })
    expect(await it.value('kept')).toBe('value of kept')
  })
})

describe('Lists', () => {
  test('are newest first, in pages that lose and repeat nothing', async () => {
    const it = await world()
    for (let i = 0; i < 12; i++) {
      await it.create(`s${i}`)
      it.clock.advance(1000)
    }
    const seen: (string | undefined)[] = []
    let NextToken: string | undefined
    do {
      const page = await it.sm().send(new ListSecretsCommand({ MaxResults: 5, NextToken }))
      seen.push(...page.SecretList!.map(({ Name }) => Name))
      NextToken = page.NextToken
    } while (NextToken)
    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => `s${11 - i}`))
    expect(await it.names({ SortOrder: 'asc', MaxResults: 2 })).toEqual(['s0', 's1'])
    await expect(it.names({ NextToken: 'forged' })).rejects.toMatchObject({ name: 'InvalidNextTokenException' })
  })

  test.each<[string, NonNullable<ListSecretsCommandInput['Filters']>, readonly string[]]>([
    ['a name begins', [{ Key: 'name', Values: ['Prod'] }], ['Prod/db']],
    ['names mind the case', [{ Key: 'name', Values: ['prod'] }], []],
    ['not one of them', [{ Key: 'name', Values: ['!Prod'] }], ['test/db', 'test/mail']],
    ['a word of the description, in any case', [{ Key: 'description', Values: ['main'] }], ['Prod/db']],
    ['one of two values', [{ Key: 'name', Values: ['Prod', 'test/m'] }], ['Prod/db', 'test/mail']],
    [
      'both filters',
      [
        { Key: 'name', Values: ['test'] },
        { Key: 'tag-key', Values: ['team'] },
      ],
      ['test/mail'],
    ],
    ['a tag’s value', [{ Key: 'tag-value', Values: ['bl'] }], ['test/mail']],
    ['anything at all', [{ Key: 'all', Values: ['DB'] }], ['Prod/db', 'test/db']],
  ])('are filtered: %s', async (_what, Filters, expected) => {
    const it = await world()
    await it.create('Prod/db', { Description: 'The Main database' })
    await it.create('test/db')
    await it.create('test/mail', { Tags: [{ Key: 'team', Value: 'blue' }] })
    expect([...(await it.names({ Filters }))].sort()).toEqual(expected)
  })

  test('a batch has what can be read, and for each other the error; each reading is recorded', async () => {
    const it = await world()
    await it.create('a')
    await it.create('b')
    const { SecretValues, Errors } = await it
      .sm()
      .send(new BatchGetSecretValueCommand({ SecretIdList: ['a', 'missing', 'b'] }))
    expect(SecretValues!.map(({ SecretString }) => SecretString)).toEqual(['value of a', 'value of b'])
    expect(Errors).toMatchObject([{ SecretId: 'missing', ErrorCode: 'ResourceNotFoundException' }])

    const filtered = await it.sm().send(new BatchGetSecretValueCommand({ Filters: [{ Key: 'name', Values: ['b'] }] }))
    expect(filtered.SecretValues!.map(({ Name }) => Name)).toEqual(['b'])
    const { Events } = await it.client(CloudTrailClient).send(
      new LookupEventsCommand({
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'GetSecretValue' }],
      }),
    )
    expect(Events).toHaveLength(4)
    expect(JSON.stringify(Events)).not.toContain('value of')
    const ann = it.client(
      SecretsManagerClient,
      await it.user('ann', allowing({ Action: 'secretsmanager:BatchGetSecretValue', Resource: '*' })),
    )
    const all = new BatchGetSecretValueCommand({ Filters: [{ Key: 'name', Values: ['b'] }] })
    // Names are visible to callers who may list them.
    await expect(ann.send(all)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await it.permit('ann', allowing({ Action: ['secretsmanager:BatchGet*', 'secretsmanager:List*'], Resource: '*' }))
    expect(await ann.send(all)).toMatchObject({ SecretValues: [], Errors: [{ ErrorCode: 'AccessDeniedException' }] })
    for (const wrong of [
      {},
      { SecretIdList: ['a'], MaxResults: 1 },
      { SecretIdList: ['a'], Filters: [{ Key: 'all', Values: ['a'] } as const] },
    ]) {
      await expect(
        it.sm().send(new BatchGetSecretValueCommand({ ...wrong } as { SecretIdList?: string[] })),
      ).rejects.toMatchObject({ name: 'InvalidParameterException' })
    }
  })
})

describe('A random password', () => {
  const draw = async (it: Awaited<ReturnType<typeof world>>, input: GetRandomPasswordCommandInput) =>
    (await it.sm().send(new GetRandomPasswordCommand(input))).RandomPassword!

  test('has 32 characters of every type, or what was requested', async () => {
    const it = await world()
    expect(await draw(it, {})).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[!-/:-@[-`{-~])[!-~]{32}$/)
    expect(await draw(it, { PasswordLength: 4096 })).toHaveLength(4096)
    const digits = { ExcludeLowercase: true, ExcludeUppercase: true, ExcludePunctuation: true }
    expect(await draw(it, { ...digits, PasswordLength: 6 })).toMatch(/^\d{6}$/)
    expect(await draw(it, { ...digits, ExcludeCharacters: '023456789', PasswordLength: 4 })).toBe('1111')
    expect(await draw(it, { IncludeSpace: true, PasswordLength: 5 })).toContain(' ')
  })

  test.each<[string, GetRandomPasswordCommandInput]>([
    [
      'nothing is left',
      { ExcludeLowercase: true, ExcludeUppercase: true, ExcludePunctuation: true, ExcludeNumbers: true },
    ],
    ['a type has no characters left', { ExcludeCharacters: '0123456789' }],
    ['there are more types than places', { PasswordLength: 3 }],
    ['it would be empty', { PasswordLength: 0 }],
    ['it would be too long', { PasswordLength: 4097 }],
  ])('is refused where %s', async (_why, input) => {
    const it = await world()
    await expect(draw(it, input)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
  })
})
