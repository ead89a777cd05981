/** AssumeRoleWithSAML: what a signed response opens, and everything that looks like one. */
import {
  CreateRoleCommand,
  CreateSAMLProviderCommand,
  type CreateSAMLProviderRequest,
  GetSAMLProviderCommand,
  IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
  UpdateSAMLProviderCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleWithSAMLCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { beforeAll, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, keysOf } from '../../../test/cloud.ts'
import {
  encryptedResponse,
  type Idp,
  responseOf,
  type Signing,
  type Statement,
  samlIdp,
} from '../../engines/saml/idp.fixture.ts'

const PROVIDER = `arn:aws:iam::${ACCOUNT}:saml-provider/corp`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/staff`
const PAIR = `${ROLE},${PROVIDER}`
const NOBODY = { accessKeyId: 'AKIAEXAMPLEEXAMPLE00', secretAccessKey: 'none' }

let idp: Idp
let other: Idp
beforeAll(() => {
  idp = samlIdp()
  other = samlIdp()
})

/** A role that trusts the provider, under a condition that can be changed. */
async function federation(
  Condition: object = { StringEquals: { 'saml:aud': 'https://signin.aws.amazon.com/saml' } },
  provider: Partial<CreateSAMLProviderRequest> = {},
) {
  const it = await cloud()
  const iam = it.client(IAMClient)
  await iam.send(new CreateSAMLProviderCommand({ Name: 'corp', SAMLMetadataDocument: idp.metadata, ...provider }))
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: PROVIDER },
    Action: ['sts:AssumeRoleWithSAML', 'sts:TagSession', 'sts:SetSourceIdentity'],
    Condition,
  }
  await iam.send(
    new CreateRoleCommand({
      RoleName: 'staff',
      AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
      MaxSessionDuration: 7200,
    }),
  )
  const assume = (response: string, more: { DurationSeconds?: number } = {}) =>
    it.client(STSClient, NOBODY).send(
      new AssumeRoleWithSAMLCommand({
        RoleArn: ROLE,
        PrincipalArn: PROVIDER,
        SAMLAssertion: Buffer.from(response).toString('base64'),
        ...more,
      }),
    )
  const signed = (statement: Partial<Statement> = {}, how: Signing = {}, by = idp) =>
    by.sign(responseOf({ now: it.clock.now(), roles: [PAIR], ...statement }), how)
  return { ...it, assume, signed }
}

describe('A signed response', () => {
  test.each(['Assertion', 'Response'] as const)(
    'opens a session when the %s is signed, and identifies its person',
    async (what) => {
      const it = await federation()

      const answer = await it.assume(it.signed({}, { what }))

      expect(answer).toMatchObject({
        AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/staff/ann` },
        Subject: 'ann@corp.test',
        SubjectType: 'persistent',
        Issuer: 'https://idp.corp.test/saml',
        Audience: 'https://signin.aws.amazon.com/saml',
        // printf 'https://idp.corp.test/saml111122223333/corp' | openssl sha1 -binary | base64
        NameQualifier: 'Vr1kqfZWxctuFfxoqnML9Z0C22w=',
      })
      const me = await it.client(STSClient, keysOf(answer)).send(new GetCallerIdentityCommand({}))
      expect(me.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/staff/ann`)
      const [told] = (await it.store.log({ account: ACCOUNT, limit: 100 }))
        .map(({ body }) => JSON.parse(body))
        .filter(({ eventName }) => eventName === 'AssumeRoleWithSAML')
      expect(told.userIdentity).toEqual({
        type: 'SAMLUser',
        principalId: 'Vr1kqfZWxctuFfxoqnML9Z0C22w=:ann@corp.test',
        userName: 'ann@corp.test',
        identityProvider: 'Vr1kqfZWxctuFfxoqnML9Z0C22w=',
      })
    },
  )

  test('brings tags that policies see, and a source identity, when the role allows it', async () => {
    const it = await federation()
    await it.client(IAMClient).send(
      new PutRolePolicyCommand({
        RoleName: 'staff',
        PolicyName: 'blue',
        PolicyDocument: allowing({
          Action: 'iam:ListUsers',
          Resource: '*',
          Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
        }),
      }),
    )
    const attributes = {
      'https://aws.amazon.com/SAML/Attributes/PrincipalTag:team': ['blue'],
      'https://aws.amazon.com/SAML/Attributes/SourceIdentity': ['ann'],
    }

    const answer = await it.assume(it.signed({ attributes }))

    expect(answer.SourceIdentity).toBe('ann')
    expect((await it.client(IAMClient, keysOf(answer)).send(new ListUsersCommand({}))).Users).toEqual([])
    const plain = await it.assume(it.signed())
    await expect(it.client(IAMClient, keysOf(plain)).send(new ListUsersCommand({}))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
  })

  test('is used once', async () => {
    const it = await federation()
    const response = it.signed()
    await it.assume(response)

    await expect(it.assume(response)).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
  })

  test('that was used is forgotten when it is void anyway', async () => {
    const it = await federation()
    await it.assume(it.signed())
    expect(await it.store.reader.range('sts/saml-assertion/')).toHaveLength(1)

    it.clock.advance(3_600_000)
    await it.jobs.runDue()

    expect(await it.store.reader.range('sts/saml-assertion/')).toEqual([])
  })

  test('lasts as long as the shorter of what the caller and the provider request', async () => {
    const it = await federation()
    const attributes = { 'https://aws.amazon.com/SAML/Attributes/SessionDuration': ['1800'] }
    const seconds = async (more: { DurationSeconds?: number }) => {
      const { Credentials } = await it.assume(it.signed({ attributes }), more)
      return Math.round((Credentials!.Expiration!.getTime() - it.clock.now()) / 60_000)
    }

    expect(await seconds({})).toBe(30)
    expect(await seconds({ DurationSeconds: 900 })).toBe(15)
    expect(await seconds({ DurationSeconds: 7200 })).toBe(30)
  })

  test('reads a name as it was signed, whatever comments were put into it', async () => {
    const it = await federation({ StringEquals: { 'saml:sub': 'ann@corp.test' } })
    const response = it.signed({ nameId: 'ann@corp.test.evil.test' })

    await expect(
      it.assume(response.replace('ann@corp.test.evil', 'ann@corp.test<!-- x -->.evil')),
    ).rejects.toMatchObject({
      name: 'AccessDenied',
    })
  })

  test('opens only what the trust policy allows its holder', async () => {
    const it = await federation({ StringEquals: { 'saml:sub': 'bob@corp.test' } })

    await expect(it.assume(it.signed())).rejects.toMatchObject({
      name: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithSAML',
    })
  })
})

/** The assertion of a response, as text. */
const assertionIn = (response: string) => /<saml:Assertion .*<\/saml:Assertion>/s.exec(response)![0]
const signatureIn = (response: string) => /<ds:Signature .*<\/ds:Signature>/s.exec(response)![0]
const evil = (assertion: string) =>
  assertion.replace(/<ds:Signature .*<\/ds:Signature>/s, '').replaceAll('ann@corp.test', 'root@corp.test')
const renamed = (assertion: string) => assertion.replace(/ID="[^"]*"/, 'ID="_evil"')

/** The known ways to wrap a signed assertion around or beside a forged one (XSW, Somorovsky et al. 2012). */
const WRAPPED: readonly (readonly [string, (signed: string) => string])[] = [
  [
    'a forged assertion before the signed one',
    (r) => r.replace('<saml:Assertion ', `${renamed(evil(assertionIn(r)))}<saml:Assertion `),
  ],
  [
    'a forged assertion after the signed one',
    (r) => r.replace('</saml:Assertion>', `</saml:Assertion>${renamed(evil(assertionIn(r)))}`),
  ],
  [
    'the signed one inside the forged one',
    (r) =>
      r.replace(
        assertionIn(r),
        renamed(evil(assertionIn(r))).replace('</saml:Assertion>', `${assertionIn(r)}</saml:Assertion>`),
      ),
  ],
  [
    'the signed one inside the signature of the forged one',
    (r) => {
      const object = signatureIn(r).replace(
        '</ds:Signature>',
        `<ds:Object>${assertionIn(r).replace(signatureIn(r), '')}</ds:Object></ds:Signature>`,
      )
      return r.replace(
        assertionIn(r),
        renamed(evil(assertionIn(r))).replace('</saml:Issuer>', `</saml:Issuer>${object}`),
      )
    },
  ],
  [
    'the signed one in an extension',
    (r) =>
      r.replace(
        assertionIn(r),
        `<samlp:Extensions>${assertionIn(r)}</samlp:Extensions>${renamed(evil(assertionIn(r)))}`,
      ),
  ],
  ['a forged one with the same ID', (r) => r.replace('<saml:Assertion ', `${evil(assertionIn(r))}<saml:Assertion `)],
  [
    'the forged one alone with the signature of the other',
    (r) => r.replace(assertionIn(r), evil(assertionIn(r)).replace('</saml:Issuer>', `</saml:Issuer>${signatureIn(r)}`)),
  ],
]

describe('What looks like a response', () => {
  const invalid = { name: 'InvalidIdentityTokenException' }
  const expired = { name: 'ExpiredTokenException' }

  test.each(WRAPPED)('is refused with %s', async (_, wrap) => {
    const it = await federation()

    await expect(it.assume(wrap(it.signed()))).rejects.toMatchObject(invalid)
  })

  test.each<[string, Partial<Statement>, object]>([
    ['was issued too long ago', { issuedAt: Date.now() - 6 * 60_000 }, expired],
    ['is from the future', { issuedAt: Date.now() + 6 * 60_000 }, invalid],
    ['has expired', { notOnOrAfter: Date.now() - 1000 }, expired],
    ['is for another audience', { audience: 'urn:other' }, invalid],
    ['is for another recipient', { recipient: 'https://other.test/saml' }, invalid],
    [
      'is for a recipient that only begins like ours',
      { recipient: 'https://signin.aws.amazon.com.evil.test/saml' },
      invalid,
    ],
    ['is of another issuer', { issuer: 'https://other.test' }, invalid],
    ['names no session', { sessionName: '' }, invalid],
    ['names a session that is none', { sessionName: 'a b' }, invalid],
    ['names another role', { roles: [`arn:aws:iam::${ACCOUNT}:role/admin,${PROVIDER}`] }, { name: 'AccessDenied' }],
    [
      'names another provider',
      { roles: [`${ROLE},arn:aws:iam::${ACCOUNT}:saml-provider/other`] },
      { name: 'AccessDenied' },
    ],
    [
      'says that the login failed',
      { status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' },
      { name: 'IDPRejectedClaimException' },
    ],
    [
      'requests a session too short',
      { attributes: { 'https://aws.amazon.com/SAML/Attributes/SessionDuration': ['60'] } },
      invalid,
    ],
  ])('is refused when it %s', async (_, statement, error) => {
    const it = await federation()

    await expect(it.assume(it.signed(statement))).rejects.toMatchObject(error)
    expect(await it.store.reader.range('sts/saml-assertion/')).toEqual([])
  })

  test.each<[string, (it: Awaited<ReturnType<typeof federation>>) => string]>([
    ['not signed', (it) => responseOf({ now: it.clock.now(), roles: [PAIR] })],
    ['signed by another key', (it) => it.signed({}, {}, other)],
    ['changed after it was signed', (it) => it.signed().replace('ann@corp.test', 'bob@corp.test')],
    ['signed with SHA-1', (it) => it.signed({}, { signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })],
    ['digested with SHA-1', (it) => it.signed({}, { digest: 'http://www.w3.org/2000/09/xmldsig#sha1' })],
    ['under a document type', (it) => `<!DOCTYPE r [<!ENTITY a "b">]>${it.signed()}`],
    ['under a stylesheet', (it) => `<?xml-stylesheet href="x"?>${it.signed()}`],
    ['no XML', () => 'nothing'],
    ['another document', () => '<a xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>'],
    ['too deep', () => `${'<a>'.repeat(5_000)}${'</a>'.repeat(5_000)}`],
  ])('is refused when it is %s', async (_, response) => {
    const it = await federation()

    await expect(it.assume(response(it))).rejects.toMatchObject(invalid)
  })

  test('is refused when it is encrypted, and the provider has no private key', async () => {
    const it = await federation()
    const encrypted = encryptedResponse(it.signed(), other.certificatePem)

    await expect(it.assume(encrypted)).rejects.toMatchObject(invalid)
  })
})

describe('An encrypted response', () => {
  const withKey = (mode: 'Required' | 'Allowed') =>
    federation({}, { AssertionEncryptionMode: mode, AddPrivateKey: other.privateKeyPem })

  test('opens a session once', async () => {
    const it = await withKey('Required')
    const response = encryptedResponse(it.signed(), other.certificatePem)

    expect((await it.assume(response)).Subject).toBe('ann@corp.test')
    await expect(it.assume(response)).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
  })

  test('is the only one that a provider accepts which requires encryption', async () => {
    const it = await withKey('Required')
    const lax = await withKey('Allowed')

    await expect(it.assume(it.signed())).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
    expect((await lax.assume(lax.signed())).Subject).toBe('ann@corp.test')
  })

  test('is decrypted by the key that was added second, until it is removed', async () => {
    const it = await withKey('Allowed')
    const update = (more: object) =>
      it.client(IAMClient).send(new UpdateSAMLProviderCommand({ SAMLProviderArn: PROVIDER, ...more }))
    await update({ AddPrivateKey: idp.privateKeyPem })
    const response = () => encryptedResponse(it.signed(), idp.certificatePem)
    await it.assume(response())
    const { PrivateKeyList } = await it
      .client(IAMClient)
      .send(new GetSAMLProviderCommand({ SAMLProviderArn: PROVIDER }))

    await update({ RemovePrivateKey: PrivateKeyList![1]!.KeyId })

    await expect(it.assume(response())).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
  })
})

test('An answer to one request opens one session, however many assertions the provider issues for it', async () => {
  const it = await federation({})
  await it.assume(it.signed({ inResponseTo: '_request1' }))

  await expect(it.assume(it.signed({ inResponseTo: '_request1' }))).rejects.toMatchObject({
    name: 'InvalidIdentityTokenException',
  })
  expect((await it.assume(it.signed({ inResponseTo: '_request2' }))).Subject).toBe('ann@corp.test')
})
