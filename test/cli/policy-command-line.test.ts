/** `merlon policy …` over plain files, without a server: the built command, what it prints, and its exit status. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { merlon, temporaryFolder } from '../process.ts'

const BUCKET = 'arn:aws:s3:::data'
const ACCOUNT = '111122223333'
const user = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`
const policy = (...Statement: readonly object[]) => ({ Version: '2012-10-17', Statement })
const allow = (Action: string | readonly string[], Resource: string | readonly string[] = '*', more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
})
const deny = (Action: string, Resource = '*', more: object = {}) => ({ Effect: 'Deny', Action, Resource, ...more })
const mfa = { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }

/** Ann reads by her group and deletes with a second factor; Bob may do all but delete what is kept. */
const account = {
  UserDetailList: [
    {
      UserName: 'ann',
      UserId: 'AIDAEXAMPLEEXAMPLE001',
      Arn: user('ann'),
      GroupList: ['readers'],
      UserPolicyList: [
        { PolicyName: 'own', PolicyDocument: policy(allow('s3:DeleteObject', `${BUCKET}/*`, { Sid: 'Mfa', ...mfa })) },
      ],
    },
    {
      UserName: 'bob',
      UserId: 'AIDAEXAMPLEEXAMPLE002',
      Arn: user('bob'),
      AttachedManagedPolicies: [{ PolicyName: 'wide', PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/wide` }],
    },
  ],
  GroupDetailList: [
    {
      GroupName: 'readers',
      Arn: `arn:aws:iam::${ACCOUNT}:group/readers`,
      GroupPolicyList: [{ PolicyName: 'read', PolicyDocument: policy(allow('s3:Get*', `${BUCKET}/*`)) }],
    },
  ],
  RoleDetailList: [],
  Policies: [
    {
      PolicyName: 'wide',
      Arn: `arn:aws:iam::${ACCOUNT}:policy/wide`,
      PolicyVersionList: [
        {
          VersionId: 'v1',
          IsDefaultVersion: true,
          Document: policy(allow('*'), deny('s3:DeleteObject', `${BUCKET}/keep/*`)),
        },
      ],
    },
  ],
}

const record = (eventName: string, awsRegion: string, more: object = {}) =>
  JSON.stringify({
    eventID: eventName + awsRegion,
    eventTime: '2026-11-23T10:00:00Z',
    eventSource: 's3.amazonaws.com',
    eventName,
    awsRegion,
    userIdentity: { type: 'IAMUser', arn: user('ann') },
    resources: [{ ARN: `${BUCKET}/a` }],
    ...more,
  })

let folder: string
const at = (name: string) => join(folder, name)
const write = (name: string, content: unknown) =>
  writeFileSync(at(name), typeof content === 'string' ? content : JSON.stringify(content, undefined, 2))
const ask = (...words: readonly string[]) => merlon(['policy', ...words])
const askJson = async (...words: readonly string[]) => JSON.parse((await ask(...words, '--json')).stdout)

beforeAll(() => {
  folder = temporaryFolder()
  write('account.json', account)
  write('old.json', policy(allow('s3:GetObject', `${BUCKET}/*`), allow('sqs:SendMessage')))
  write(
    'new.json',
    policy(
      allow(['s3:GetObject', 's3:PutObject'], [`${BUCKET}/*`, 'arn:aws:s3:::more/*']),
      allow('sqs:SendMessage', '*', mfa),
    ),
  )
  write(
    'scp.json',
    policy(
      allow('*'),
      deny('s3:*', '*', { Condition: { StringNotEquals: { 'aws:RequestedRegion': 'eu-central-1' } } }),
    ),
  )
  write('broken.json', '{\n  "Version": "2012-10-17",\n  "Statement": [ { "Effect": "Allow", } ]\n}')
})

describe('merlon policy explain', () => {
  test('a federated user without session policies may do nothing', async () => {
    write('all.json', policy(allow('*')))
    const federated = ['--principal', `arn:aws:sts::${ACCOUNT}:federated-user/visitor`]
    const request = [
      ...federated,
      '--action',
      's3:GetObject',
      '--resource',
      `${BUCKET}/a`,
      '--identity',
      at('all.json'),
    ]

    const without = await ask('explain', ...request)
    expect([without.status, without.stdout]).toEqual([1, expect.stringMatching(/session +does not allow/)])
    expect((await ask('explain', ...request, '--session', at('all.json'))).status).toBe(0)
  })
})

describe('merlon policy lint', () => {
  test('reports each finding with its place, and fails for what is wrong or dangerous', async () => {
    write('risky.json', policy(allow('iam:PassRole'), allow('s3:GetObjects')))

    const { status, stdout } = await ask('lint', at('risky.json'), at('old.json'))

    expect(status).toBe(1)
    expect(stdout).toMatch(/risky\.json:\d+:\d+: security warning PASS_ROLE_WITH_STAR_IN_RESOURCE: /)
    expect(stdout).toMatch(/risky\.json:\d+:\d+: error INVALID_ACTION: The service s3 has no action GetObjects\.\n/)
    expect(stdout).toMatch(/\n2 files, 2 findings\n$/)
  })

  test('passes what could only be said better, unless it is strict', async () => {
    write('wordy.json', policy(allow(['s3:Get*', 's3:GetObject'])))

    expect((await ask('lint', at('wordy.json'))).status).toBe(0)
    expect((await ask('lint', '--strict', at('wordy.json'))).status).toBe(1)
  })

  test('finds what is no JSON, where it is none', async () => {
    const { status, stdout } = await ask('lint', at('broken.json'))

    expect([status, stdout]).toEqual([1, expect.stringMatching(/broken\.json:3:\d+: error JSON_SYNTAX_ERROR/)])
  })
})

describe('merlon policy who-can', () => {
  test('lists the principals that certainly may, those that may under conditions, and through what', async () => {
    const { principals } = await askJson('who-can', 's3:DeleteObject', `${BUCKET}/x`, '--account', at('account.json'))

    expect(principals).toMatchObject([
      { arn: user('ann'), access: 'conditional', missingContextKeys: ['aws:MultiFactorAuthPresent'] },
      { arn: user('bob'), access: 'allowed' },
    ])
  })

  test('leaves out principals that a Deny stops, and settles conditions with known values', async () => {
    const asked = ['who-can', 's3:DeleteObject', `${BUCKET}/keep/x`, '--account', at('account.json')]

    expect((await askJson(...asked, '--context', 'aws:MultiFactorAuthPresent=false')).principals).toEqual([])
    expect((await askJson(...asked, '--context', 'aws:MultiFactorAuthPresent=true')).principals).toMatchObject([
      { arn: user('ann'), access: 'allowed' },
    ])
  })

  test('reads to a person', async () => {
    const { stdout, status } = await ask('who-can', 's3:GetObject', `${BUCKET}/x`, '--account', at('account.json'))

    expect(status).toBe(0)
    expect(stdout).toMatch(/^s3:GetObject on \S+: 2 of 2 principals may, 0 more under conditions\.\n/)
    expect(stdout).toMatch(
      /allowed +\S+user\/ann\n +by statement 1 in \S+account\.json:\d+(:\d+)? \(group\/readers: read\)/,
    )
  })
})

describe('merlon policy what-can', () => {
  test('lists actions by what they reach, whole families in one word', async () => {
    const { stdout } = await ask('what-can', 'ann', '--account', at('account.json'))

    expect(stdout).toContain(`s3:Get*\n  on ${BUCKET}/*\n`)
    expect(stdout).toContain(`s3:DeleteObject\n  perhaps on ${BUCKET}/*\n    if Bool aws:MultiFactorAuthPresent = true`)
    expect(stdout).not.toContain('s3:Put')
  })

  test('reports where a Deny applies', async () => {
    const { access } = await askJson('what-can', user('bob'), '--service', 's3', '--account', at('account.json'))
    const deletes = access.find(({ actions }: { actions: string[] }) => actions.includes('s3:DeleteObject'))

    expect(deletes.on).toMatchObject([
      { access: 'allowed', resources: [{ within: ['*'], except: [`${BUCKET}/keep/*`] }] },
    ])
  })

  test.each([
    ['a user that is not there', ['carl'], "no user or role 'carl'"],
    ['a service that is none', ['ann', '--service', 'nosuch'], "no service 'nosuch'"],
  ])('refuses %s', async (_, words, told) => {
    const { status, stderr } = await ask('what-can', ...words, '--account', at('account.json'))

    expect([status, stderr]).toEqual([2, expect.stringContaining(told)])
  })
})

describe('merlon policy diff', () => {
  test('reports what was added, what was taken, and what depends on a condition', async () => {
    const { status, stdout } = await ask('diff', at('old.json'), at('new.json'))

    expect(status).toBe(1)
    expect(stdout).toContain('s3:GetObject\n  +  added on arn:aws:s3:::more/*\n')
    expect(stdout).toContain(`s3:PutObject\n  +  added on ${BUCKET}/*\n`)
    expect(stdout).toContain('sqs:SendMessage\n  -? perhaps removed on *\n')
  })

  test('turned round says the opposite', async () => {
    const { differences } = await askJson('diff', at('new.json'), at('old.json'))

    const kinds = Object.fromEntries(
      differences.map(({ actions, changes }: { actions: string[]; changes: { kind: string }[] }) => [
        actions.join(),
        changes.map(({ kind }) => kind),
      ]),
    )
    expect(kinds).toEqual({
      's3:GetObject': ['removed'],
      's3:PutObject': ['removed'],
      'sqs:SendMessage': ['perhaps added'],
    })
  })

  test.each([
    ['itself', policy(allow('s3:GetObject', `${BUCKET}/*`), allow('sqs:SendMessage'))],
    [
      'the same, written differently',
      policy(allow('SQS:sendmessage'), allow('s3:GetObject', [`${BUCKET}/*`, `${BUCKET}/a*`])),
    ],
    [
      'itself and what was allowed anyway',
      policy(allow('s3:GetObject', `${BUCKET}/*`), allow('sqs:SendMessage'), allow('sqs:SendMessage', '*', mfa)),
    ],
  ])('finds nothing between a policy and %s', async (_, other) => {
    write('other.json', other)

    expect(await ask('diff', at('old.json'), at('other.json'))).toMatchObject({
      status: 0,
      stdout: 'No change in access.\n',
    })
  })

  test.each([
    [
      'a Deny',
      policy(allow('s3:GetObject', `${BUCKET}/*`), allow('sqs:SendMessage'), deny('s3:GetObject', `${BUCKET}/a`)),
      'removed',
    ],
    [
      'an action no table knows',
      policy(allow('s3:GetObject', `${BUCKET}/*`), allow('sqs:SendMessage'), allow('future:Act')),
      'added',
    ],
    [
      'a Deny under a condition',
      policy(allow('s3:GetObject', `${BUCKET}/*`), allow('sqs:SendMessage'), deny('s3:*', '*', mfa)),
      'perhaps removed',
    ],
  ])('finds %s', async (_, other, kind) => {
    write('other.json', other)

    const { differences } = await askJson('diff', at('old.json'), at('other.json'))

    expect(differences).toMatchObject([{ changes: [{ kind }] }])
  })
})

describe('merlon policy what-if', () => {
  const replay = async (events: readonly string[], ...words: readonly string[]) => {
    write('events.jsonl', events.join('\n'))
    return askJson('what-if', '--events', at('events.jsonl'), '--account', at('account.json'), ...words)
  }

  test('lists the calls that a new SCP would have stopped', async () => {
    const events = [record('GetObject', 'us-east-1'), record('GetObject', 'eu-central-1')]

    expect((await replay(events, '--scp', at('scp.json'))).otherwise).toMatchObject([
      { action: 's3:GetObject', eventId: 'GetObjectus-east-1', recorded: 'allowed', becomes: 'denied' },
    ])
  })

  test('lists the calls that a wider policy would have let through', async () => {
    write('wider.json', policy(allow('*')))
    const identity = { userIdentity: { type: 'IAMUser', arn: user('bob') } }
    const kept = record('DeleteObject', 'us-east-1', {
      ...identity,
      errorCode: 'AccessDenied',
      resources: [{ ARN: `${BUCKET}/keep/a` }],
    })

    const { otherwise } = await replay([kept], '--policy', `arn:aws:iam::${ACCOUNT}:policy/wide=${at('wider.json')}`)

    expect(otherwise).toMatchObject([{ action: 's3:DeleteObject', recorded: 'denied', becomes: 'allowed' }])
  })

  test('does not guess: what the record does not have is named, and unknown callers are counted', async () => {
    write('vpc.json', policy(allow('*', '*', { Condition: { StringEquals: { 'aws:SourceVpc': 'vpc-1' } } })))
    const stranger = record('GetObject', 'us-east-1', { userIdentity: { type: 'AWSService' } })

    const told = await replay([record('GetObject', 'us-east-1'), stranger], '--scp', at('vpc.json'))

    expect(told.otherwise).toMatchObject([{ becomes: 'open', missingContextKeys: ['aws:SourceVpc'] }])
    expect(told.leftOut).toEqual({ strangers: 1, unexplained: 0 })
  })

  test('reads what lookup-events prints', async () => {
    write('events.json', { Events: [{ CloudTrailEvent: record('GetObject', 'us-east-1') }] })

    const told = await askJson(
      'what-if',
      '--events',
      at('events.json'),
      '--account',
      at('account.json'),
      '--scp',
      at('scp.json'),
    )

    expect(told.otherwise).toHaveLength(1)
  })
})

describe('Unreadable files', () => {
  test.each([
    ['a missing file', ['diff', 'nowhere.json', 'new.json'], /nowhere\.json: there is no such file/],
    ['a malformed policy', ['diff', 'old.json', 'broken.json'], /broken\.json:3:\d+: /],
    ['an account file that is none', ['what-can', 'ann', '--account', 'old.json'], /is not the output of/],
    [
      'events that are none',
      ['what-if', '--events', 'old.json', '--account', 'account.json', '--scp', 'scp.json'],
      /no CloudTrail record/,
    ],
    [
      'half a command',
      ['what-if', '--events', 'old.json', '--account', 'account.json'],
      /Missing option: --scp or --policy/,
    ],
    ['a command that is none', ['guess'], /There is no command 'policy guess'/],
  ])('%s: says so and exits with 2', async (_, words, told) => {
    const { status, stderr, stdout } = await ask(...words.map((word) => (word.endsWith('.json') ? at(word) : word)))

    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(told)
  })
})
