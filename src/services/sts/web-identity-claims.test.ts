/** Tokens in the shape of GitHub's, GitLab's and Google's: each claim that is a condition key decides, alone. */
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  IAMClient,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import { ThumbprintMismatchError } from '../../kernel/federation/thumbprint.ts'
import { claimsOf } from './conditions.ts'

type Pair = Awaited<ReturnType<typeof generateKeyPair>>
let pair: Pair
beforeAll(async () => {
  pair = await generateKeyPair('RS256')
})

/** A cloud that trusts the issuer for one audience, and fetches its keys in memory. */
async function trusting(issuer: string, audience: string, ThumbprintList: readonly string[] = []) {
  const state = { kids: ['one'], fetches: 0, asked: [] as (readonly string[] | undefined)[], isMismatch: false }
  const get = async (url: string, thumbprints?: readonly string[]) => {
    state.asked.push(thumbprints)
    if (state.isMismatch) throw new ThumbprintMismatchError()
    await new Promise((resolve) => setImmediate(resolve))
    if (url.endsWith('/.well-known/openid-configuration'))
      return { status: 200, body: JSON.stringify({ issuer: `https://${issuer}`, jwks_uri: `https://${issuer}/keys` }) }
    state.fetches++
    const jwk = await exportJWK(pair.publicKey)
    return { status: 200, body: JSON.stringify({ keys: state.kids.map((kid) => ({ ...jwk, kid, alg: 'RS256' })) }) }
  }
  const it = await cloud({ outbound: { get } })
  const iam = it.client(IAMClient)
  await iam.send(
    new CreateOpenIDConnectProviderCommand({
      Url: `https://${issuer}`,
      ClientIDList: [audience],
      ...(ThumbprintList.length > 0 && { ThumbprintList: [...ThumbprintList] }),
    }),
  )
  const policyOf = (StringEquals: object) =>
    allowing({
      Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${issuer}` },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: { StringEquals },
    })
  const token = (claims: JWTPayload, kid = 'one') => {
    const now = Math.floor(it.clock.now() / 1000)
    return new SignJWT({ iss: `https://${issuer}`, aud: audience, iat: now, exp: now + 600, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid })
      .sign(pair.privateKey)
  }
  const sts = it.client(STSClient)
  const assume = (WebIdentityToken: string) =>
    sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/ci`,
        RoleSessionName: 'job',
        WebIdentityToken,
      }),
    )
  const trust = async (conditions: object) => {
    const PolicyDocument = policyOf(conditions)
    await iam
      .send(new CreateRoleCommand({ RoleName: 'ci', AssumeRolePolicyDocument: PolicyDocument }))
      .catch(async (error: Error) => {
        if (error.name !== 'EntityAlreadyExistsException') throw error
        await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'ci', PolicyDocument }))
      })
  }
  return { ...it, state, token, assume, trust }
}

interface Shape {
  readonly audience: string
  readonly claims: JWTPayload
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'token.actions.githubusercontent.com': {
    audience: 'sts.amazonaws.com',
    claims: {
      jti: 'a1b2c3d4',
      sub: 'repo:octo-org/octo-repo:environment:production',
      actor: 'octocat',
      actor_id: '583231',
      enterprise_id: '345',
      environment: 'production',
      job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
      ref: 'refs/heads/main',
      repository: 'octo-org/octo-repo',
      repository_id: '74',
      repository_owner: 'octo-org',
      repository_owner_id: '65',
      repository_visibility: 'private',
      workflow: 'deploy',
      run_attempt: '2',
    },
  },
  'gitlab.com': {
    audience: 'https://aws.corp.example',
    claims: {
      sub: 'project_path:corp/site:ref_type:branch:ref:main',
      namespace_id: '72',
      project_id: '20',
      pipeline_source: 'web',
      ref_protected: 'true',
      runner_environment: 'self-hosted',
      user_access_level: 'developer',
      user_email: 'ann@corp.example',
      user_id: '1',
      user_login: 'ann',
    },
  },
  'accounts.google.com': {
    audience: '1234.apps.example',
    claims: {
      sub: '108204268033311374519',
      email: 'robot@corp.example',
      google: { organization_number: 1099511627776 },
    },
  },
}

const valueAt = (claims: JWTPayload, name: string): string =>
  String(name.split('/').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], claims))

function changed(claims: JWTPayload, name: string): JWTPayload {
  const [first = '', second] = name.split('/')
  return { ...claims, [first]: second === undefined ? 'other' : { [second]: 'other' } }
}

describe.each(Object.entries(SHAPES))('A token of %s', (issuer, { audience, claims }) => {
  test('opens a role by each of its claims, and by no other value of it, nor without it', async () => {
    const it = await trusting(issuer, audience)
    const names = claimsOf(issuer).filter(
      (name) => name !== 'amr' && (name !== 'email' || claims['email'] !== undefined),
    )
    // Every claim of the token that is meant as a key is one.
    const unlisted = Object.keys(claims).filter((name) => !names.some((each) => each.split('/')[0] === name))
    expect(unlisted).toEqual(issuer.startsWith('token.actions') ? ['jti', 'run_attempt'] : [])
    for (const name of names) {
      await it.trust({ [`${issuer}:sub`]: claims.sub, [`${issuer}:${name}`]: valueAt(claims, name) })
      expect((await it.assume(await it.token(claims))).Provider, name).toContain(issuer)
      const [first = ''] = name.split('/')
      for (const other of [changed(claims, name), { ...claims, [first]: undefined }]) {
        const refusal = await it.assume(await it.token(other)).catch((error: Error) => error)
        expect(refusal, name).toMatchObject({
          name: name === 'sub' && other.sub === undefined ? 'InvalidIdentityTokenException' : 'AccessDenied',
        })
      }
    }
    await it.trust({ [`${issuer}:sub`]: claims.sub, [`${issuer}:aud`]: audience })
    expect((await it.assume(await it.token(claims))).Audience).toBe(audience)
    await expect(it.assume(await it.token({ ...claims, aud: 'other' }))).rejects.toMatchObject({
      name: 'InvalidIdentityTokenException',
    })
  })
})

test('Google’s azp is the audience, and aud is then oaud', async () => {
  const issuer = 'accounts.google.com'
  const it = await trusting(issuer, 'web-app')
  await it.trust({ [`${issuer}:sub`]: '7', [`${issuer}:aud`]: 'web-app', [`${issuer}:oaud`]: 'backend' })

  expect((await it.assume(await it.token({ sub: '7', aud: 'backend', azp: 'web-app' }))).Audience).toBe('web-app')
  await expect(it.assume(await it.token({ sub: '7', aud: 'elsewhere', azp: 'web-app' }))).rejects.toMatchObject({
    name: 'AccessDenied',
  })
})

test.each([
  ['nothing', {}],
  ['the audience alone', { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' }],
  ['every subject', { 'token.actions.githubusercontent.com:sub': '*' }],
])('a role that requires %s of a shared issuer is refused when it is written', async (_what, conditions) => {
  const it = await trusting('token.actions.githubusercontent.com', 'sts.amazonaws.com')

  await expect(it.trust(conditions)).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' })
  await it.trust({ 'token.actions.githubusercontent.com:sub': 'repo:octo-org/octo-repo:ref:refs/heads/main' })
  await expect(it.trust(conditions)).rejects.toMatchObject({
    message: expect.stringContaining('token.actions.githubusercontent.com:sub'),
  })
})

test('keys rotate under load without a refused token, and with one request for the new ones', async () => {
  const it = await trusting('gitlab.com', 'aud')
  await it.trust({ 'gitlab.com:sub': 'a' })
  await it.assume(await it.token({ sub: 'a' }))
  expect(it.state.fetches).toBe(1)

  it.state.kids = ['one', 'two']
  const tokens = await Promise.all(
    Array.from({ length: 100 }, (_, n) => it.token({ sub: 'a', jti: String(n) }, n % 2 ? 'one' : 'two')),
  )
  const answers = await Promise.all(tokens.map((token) => it.assume(token)))

  expect(answers.every(({ Credentials }) => Credentials !== undefined)).toBe(true)
  expect(it.state.fetches).toBe(2)
})

test('thumbprints of the provider go with the request for its keys, and a mismatch is reported with AWS’s text', async () => {
  const thumbprint = 'A'.repeat(40)
  const it = await trusting('login.corp.example', 'aud', [thumbprint])
  await it.trust({})
  it.state.isMismatch = true

  await expect(it.assume(await it.token({ sub: 'a' }))).rejects.toMatchObject({
    name: 'InvalidIdentityTokenException',
    message: "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
  })
  it.state.isMismatch = false
  await it.assume(await it.token({ sub: 'a' }))
  expect(new Set(it.state.asked.flat())).toEqual(new Set([thumbprint]))
})
