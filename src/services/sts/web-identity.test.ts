/** AssumeRoleWithWebIdentity, with an issuer whose keys are real and whose address answers from memory. */
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityRequest,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, keysOf } from '../../../test/cloud.ts'

const ISSUER = 'https://login.example.com/tenant'
const NAME = 'login.example.com/tenant'
const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/${NAME}`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/deploy`

interface Issuer {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly alg: string
}

async function issuerKey(kid: string, alg = 'RS256'): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicKey }
}

/** A cloud that trusts the issuer, and a role open to one of its subjects. */
async function federation(
  condition: object = { StringEquals: { [`${NAME}:sub`]: 'repo:blue', [`${NAME}:aud`]: 'sts' } },
  actions: readonly string[] = ['sts:AssumeRoleWithWebIdentity'],
) {
  const keys = [await issuerKey('one')]
  const asked: string[] = []
  const outbound = {
    get: async (url: string) => {
      asked.push(url)
      if (url === `${ISSUER}/.well-known/openid-configuration`) {
        return { status: 200, body: JSON.stringify({ issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` }) }
      }
      if (url !== `${ISSUER}/jwks`) return { status: 404, body: '' }
      const published = await Promise.all(
        keys.map(async ({ kid, alg, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' })),
      )
      return { status: 200, body: JSON.stringify({ keys: published }) }
    },
  }
  const it = await cloud({ outbound })
  const iam = it.client(IAMClient)
  await iam.send(new CreateOpenIDConnectProviderCommand({ Url: ISSUER, ClientIDList: ['sts'] }))
  const statement = { Principal: { Federated: PROVIDER }, Action: actions, Condition: condition }
  await iam.send(new CreateRoleCommand({ RoleName: 'deploy', AssumeRolePolicyDocument: allowing(statement) }))
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: 'deploy',
      PolicyName: 'p',
      PolicyDocument: allowing({ Action: 'iam:ListUsers', Resource: '*' }),
    }),
  )

  const token = (
    claims: JWTPayload = {},
    { key = keys[0]!, alg = key.alg, at = it.clock.now() }: { key?: Issuer; alg?: string; at?: number } = {},
  ) => {
    const seconds = Math.floor(at / 1000)
    return new SignJWT({ iss: ISSUER, sub: 'repo:blue', aud: 'sts', iat: seconds, exp: seconds + 600, ...claims })
      .setProtectedHeader({ alg, kid: key.kid })
      .sign(key.privateKey)
  }
  // No credentials are needed, and none are sent.
  const sts = it.client(STSClient)
  const assume = (WebIdentityToken: string, more: Partial<AssumeRoleWithWebIdentityRequest> = {}) =>
    sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: ROLE, RoleSessionName: 'ci', WebIdentityToken, ...more }))
  return { ...it, iam, keys, asked, token, assume }
}

describe('A token of a trusted issuer', () => {
  test('opens the role that trusts its subject, for a while, and is recorded', async () => {
    const { token, assume, client, store } = await federation()

    const answer = await assume(await token())

    expect(answer).toMatchObject({
      SubjectFromWebIdentityToken: 'repo:blue',
      Audience: 'sts',
      Provider: PROVIDER,
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/ci` },
    })
    const session = keysOf(answer)
    expect((await client(STSClient, session).send(new GetCallerIdentityCommand({}))).Account).toBe(ACCOUNT)
    expect((await client(IAMClient, session).send(new ListUsersCommand({}))).Users).toEqual([])
    const [event] = (await store.log({ account: ACCOUNT, limit: 100 }))
      .map(({ body }) => JSON.parse(body))
      .filter(({ eventName }) => eventName === 'AssumeRoleWithWebIdentity')
    expect(event.userIdentity).toEqual({
      type: 'WebIdentityUser',
      principalId: `${PROVIDER}:sts:repo:blue`,
      userName: 'repo:blue',
      identityProvider: PROVIDER,
    })
    expect(JSON.stringify(event)).not.toContain('eyJ')
    const [listed] = (await store.log({ account: ACCOUNT, limit: 100 }))
      .map(({ body }) => JSON.parse(body))
      .filter(({ eventName }) => eventName === 'ListUsers')
    expect(listed.userIdentity.sessionContext.webIdFederationData).toEqual({
      federatedProvider: PROVIDER,
      attributes: expect.objectContaining({ [`${ISSUER.replace('https://', '')}:sub`]: 'repo:blue' }),
    })
  })

  test.each(['RS512', 'ES256', 'ES384'])('may be signed by %s', async (alg) => {
    const { keys, token, assume } = await federation()
    keys.push(await issuerKey('other', alg))

    expect((await assume(await token({}, { key: keys[1]! }))).Credentials).toBeDefined()
  })

  test.each([
    ['another subject', { sub: 'repo:red' }],
    ['no audience the role wants', { aud: ['sts', 'x'], azp: 'x' }],
  ])('with %s opens nothing', async (_what, claims) => {
    const { token, assume } = await federation()

    await expect(assume(await token(claims as JWTPayload))).rejects.toMatchObject({
      name: expect.stringMatching(/AccessDenied|InvalidIdentityToken/),
    })
  })

  test('opens no role that does not trust its issuer, and none that does not exist, with the same error', async () => {
    const { token, assume, iam } = await federation()
    await iam.send(
      new CreateRoleCommand({
        RoleName: 'other',
        AssumeRolePolicyDocument: allowing({ Principal: { AWS: ACCOUNT }, Action: 'sts:*' }),
      }),
    )

    for (const name of ['other', 'missing']) {
      await expect(assume(await token(), { RoleArn: `arn:aws:iam::${ACCOUNT}:role/${name}` })).rejects.toMatchObject({
        name: 'AccessDenied',
        message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
        $metadata: { httpStatusCode: 403 },
      })
    }
  })

  test('carries tags and a source identity when the role allows it, and else not at all', async () => {
    const claims = {
      'https://aws.amazon.com/tags': { principal_tags: { team: ['blue'] }, transitive_tag_keys: ['team'] },
      'https://aws.amazon.com/source_identity': 'ann',
    }
    const closed = await federation()
    const open = await federation({}, ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'])
    const Condition = { StringEquals: { 'aws:PrincipalTag/team': 'blue', 'aws:SourceIdentity': 'ann' } }
    await open.iam.send(
      new PutRolePolicyCommand({
        RoleName: 'deploy',
        PolicyName: 'p',
        PolicyDocument: allowing({ Action: 'iam:ListUsers', Resource: '*', Condition }),
      }),
    )

    await expect(closed.assume(await closed.token(claims))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('sts:TagSession'),
    })
    const answer = await open.assume(await open.token(claims))
    expect(answer.SourceIdentity).toBe('ann')
    expect((await open.client(IAMClient, keysOf(answer)).send(new ListUsersCommand({}))).Users).toEqual([])
  })

  test('signed by a new key is accepted once the issuer publishes it, fetched again at most once a minute', async () => {
    const { keys, token, assume, asked, clock } = await federation()
    await assume(await token())
    const key = await issuerKey('two')

    clock.advance(61_000)
    await expect(assume(await token({}, { key }))).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
    keys.push(key)
    const before = asked.length
    await expect(assume(await token({}, { key }))).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
    expect(asked.length).toBe(before)
    clock.advance(61_000)
    expect((await assume(await token({}, { key }))).Credentials).toBeDefined()
  })
})

describe('A token that is not', () => {
  const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const forged: Readonly<Record<string, (it: Awaited<ReturnType<typeof federation>>) => Promise<string>>> = {
    'signed by a key of its own under the same name': async ({ token }) => token({}, { key: await issuerKey('one') }),
    'signed at all (alg none)': async ({ token }) => {
      const [, payload] = (await token()).split('.')
      return `${b64({ alg: 'none', kid: 'one' })}.${payload}.`
    },
    'signed by more than the public key as a secret (HS256)': async ({ keys, clock }) => {
      const jwk = await exportJWK(keys[0]!.publicKey)
      const now = Math.floor(clock.now() / 1000)
      return new SignJWT({ iss: ISSUER, sub: 'repo:blue', aud: 'sts', iat: now, exp: now + 600 })
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(Buffer.from(jwk.n!, 'base64url'))
    },
    untouched: async ({ token }) => {
      const [header, payload, signature] = (await token({ sub: 'repo:red' })).split('.')
      const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString())
      return `${header}.${b64({ ...claims, sub: 'repo:blue' })}.${signature}`
    },
    'for this audience': ({ token }) => token({ aud: 'elsewhere' }),
    'of a known issuer': ({ token }) => token({ iss: 'https://login.example.com' }),
    'of an https issuer': ({ token }) => token({ iss: 'http://login.example.com/tenant' }),
    'of now, but of tomorrow': ({ token, clock }) => token({ nbf: Math.floor(clock.now() / 1000) + 86_400 }),
    'with an end': async ({ keys }) =>
      new SignJWT({ iss: ISSUER, sub: 'repo:blue', aud: 'sts' })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .sign(keys[0]!.privateKey),
    'with its key in its own header': async ({ clock }) => {
      const key = await issuerKey('mine')
      const now = Math.floor(clock.now() / 1000)
      return new SignJWT({ iss: ISSUER, sub: 'repo:blue', aud: 'sts', iat: now, exp: now + 600 })
        .setProtectedHeader({
          alg: 'RS256',
          jwk: await exportJWK(key.publicKey),
          jku: 'https://evil.example/jwks',
          kid: 'mine',
        })
        .sign(key.privateKey)
    },
    'a token': async () => 'nonsense',
  }

  test.each(Object.entries(forged))('%s is refused', async (_what, forge) => {
    const it = await federation()

    await expect(it.assume(await forge(it))).rejects.toMatchObject({
      name: 'InvalidIdentityTokenException',
      $metadata: { httpStatusCode: 400 },
    })
    expect(it.asked.filter((url) => !url.startsWith(ISSUER))).toEqual([])
  })

  test('of now is refused as expired', async () => {
    const { token, assume, clock } = await federation()

    await expect(assume(await token({}, { at: clock.now() - 1_000_000 }))).rejects.toMatchObject({
      name: 'ExpiredTokenException',
    })
  })

  test('of a provider still there is refused', async () => {
    const { token, assume, iam } = await federation()
    await iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER }))

    await expect(assume(await token())).rejects.toMatchObject({
      name: 'InvalidIdentityTokenException',
      message: `No OpenIDConnect provider found in your account for ${ISSUER}`,
    })
  })
})

describe('A session by a token', () => {
  test('lasts as long as the role allows, and is narrowed by its policy', async () => {
    const { token, assume, client } = await federation()

    await expect(assume(await token(), { DurationSeconds: 7200 })).rejects.toMatchObject({
      message: expect.stringContaining('MaxSessionDuration'),
    })
    const session = keysOf(await assume(await token(), { Policy: allowing({ Action: 's3:*', Resource: '*' }) }))
    await expect(client(IAMClient, session).send(new ListUsersCommand({}))).rejects.toMatchObject({
      message: expect.stringContaining('because no session policy allows'),
    })
  })
})
