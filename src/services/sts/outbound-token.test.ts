/** Tokens by which other systems recognize our principals. */
import {
  CreateRoleCommand,
  DisableOutboundWebIdentityFederationCommand,
  EnableOutboundWebIdentityFederationCommand,
  GetOutboundWebIdentityFederationInfoCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  AssumeRoleCommand,
  GetWebIdentityTokenCommand,
  type GetWebIdentityTokenCommandInput,
  STSClient,
} from '@aws-sdk/client-sts'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, type Keys, keysOf } from '../../../test/cloud.ts'

const asked = { Audience: ['https://api.example'], SigningAlgorithm: 'ES384' }

async function issuer(permitted: object = {}) {
  const it = await cloud()
  const iam = it.client(IAMClient)
  const ann = await it.user('ann', allowing({ Action: 'sts:*', Resource: '*', ...permitted }))
  const { IssuerIdentifier } = await iam.send(new EnableOutboundWebIdentityFederationCommand({}))
  const path = new URL(IssuerIdentifier!).pathname
  const token = (input: Partial<GetWebIdentityTokenCommandInput> = {}, by: Keys = ann) =>
    it.client(STSClient, by).send(new GetWebIdentityTokenCommand({ ...asked, ...input }))
  const keySet = async () => (await it.document(`${path}/.well-known/jwks.json`)) as JSONWebKeySet
  const verified = async (text: string) =>
    jwtVerify(text, createLocalJWKSet(await keySet()), {
      issuer: IssuerIdentifier!,
      currentDate: new Date(it.clock.now()),
    })
  return { ...it, iam, ann, token, verified, keySet, path, IssuerIdentifier: IssuerIdentifier! }
}

describe('A web identity token', () => {
  test.each(['RS256', 'ES384'])('signed by %s is checked by the published keys', async (SigningAlgorithm) => {
    const it = await issuer()
    const askedAt = Math.floor(it.clock.now() / 1000)
    const { WebIdentityToken, Expiration } = await it.token({
      SigningAlgorithm,
      DurationSeconds: 600,
      Tags: [{ Key: 'team', Value: 'blue' }],
    })

    const { payload, protectedHeader } = await it.verified(WebIdentityToken!)

    expect(protectedHeader.alg).toBe(SigningAlgorithm)
    expect(payload).toEqual({
      iss: it.IssuerIdentifier,
      sub: `arn:aws:iam::${ACCOUNT}:user/ann`,
      aud: 'https://api.example',
      iat: expect.any(Number),
      exp: Expiration!.getTime() / 1000,
      jti: expect.any(String),
      'https://sts.amazonaws.com/': {
        aws_account: ACCOUNT,
        source_region: 'us-east-1',
        principal_id: `arn:aws:iam::${ACCOUNT}:user/ann`,
        request_tags: { team: 'blue' },
      },
    })
    expect(payload.iat!).toBeGreaterThanOrEqual(askedAt)
    expect(payload.iat!).toBeLessThanOrEqual(it.clock.now() / 1000)
    expect(payload.exp! - payload.iat!).toBe(600)
  })

  test('is never signed wrongly, whatever the lengths of r and s', async () => {
    const it = await issuer()
    for (let i = 0; i < 100; i++) await it.verified((await it.token()).WebIdentityToken!)
    expect((await it.keySet()).keys).toHaveLength(2)
  })

  test('of a session names its role, and does not outlive it', async () => {
    const it = await issuer()
    const trust = allowing({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'sts:AssumeRole' })
    const created = await it.iam.send(new CreateRoleCommand({ RoleName: 'job', AssumeRolePolicyDocument: trust }))
    const RoleArn = created.Role!.Arn!
    const session = keysOf(
      await it
        .client(STSClient, it.ann)
        .send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'night', DurationSeconds: 900 })),
    )
    await expect(it.token({}, session)).rejects.toMatchObject({ name: 'AccessDenied' })
    const may = allowing({ Action: 'sts:GetWebIdentityToken', Resource: '*' })
    await it.iam.send(new PutRolePolicyCommand({ RoleName: 'job', PolicyName: 'tokens', PolicyDocument: may }))

    const { payload } = await it.verified((await it.token({ DurationSeconds: 890 }, session)).WebIdentityToken!)
    it.clock.advance(60_000)

    expect(payload.sub).toBe(RoleArn)
    expect(payload['https://sts.amazonaws.com/']).toMatchObject({ original_session_exp: expect.any(String) })
    await expect(it.token({ DurationSeconds: 890 }, session)).rejects.toMatchObject({
      name: 'SessionDurationEscalationException',
    })
  })

  test.each<[string, object, Partial<GetWebIdentityTokenCommandInput>]>([
    [
      'audience',
      { 'ForAllValues:StringEquals': { 'sts:IdentityTokenAudience': 'https://api.example' } },
      { Audience: ['https://evil.example'] },
    ],
    ['lifetime', { NumericLessThanEquals: { 'sts:DurationSeconds': '300' } }, { DurationSeconds: 301 }],
    ['algorithm', { StringEquals: { 'sts:SigningAlgorithm': 'ES384' } }, { SigningAlgorithm: 'RS256' }],
    ['tags', { Null: { 'aws:RequestTag/team': 'true' } }, { Tags: [{ Key: 'team', Value: 'red' }] }],
  ])('is tested by policies on its %s', async (_what, Condition, input) => {
    const it = await issuer({ Condition })
    expect((await it.token()).WebIdentityToken).toBeDefined()
    await expect(it.token(input)).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test.each<[string, Partial<GetWebIdentityTokenCommandInput>, string]>([
    ['with another algorithm', { SigningAlgorithm: 'HS256' }, 'ValidationError'],
    ['for no audience', { Audience: [] }, 'ValidationError'],
    ['that lives too long', { DurationSeconds: 3601 }, 'ValidationError'],
    [
      'with more claims than it holds',
      { Tags: Array.from({ length: 40 }, (_, i) => ({ Key: `k${i}`, Value: 'v'.repeat(200) })) },
      'JWTPayloadSizeExceededException',
    ],
  ])('%s is none', async (_what, input, name) => {
    const it = await issuer()
    await expect(it.token(input)).rejects.toMatchObject({ name })
  })
})

describe('The account as an issuer', () => {
  test('is published by its discovery document, which holds no private part of a key', async () => {
    const it = await issuer()
    expect(await it.document(`${it.path}/.well-known/openid-configuration`)).toMatchObject({
      issuer: it.IssuerIdentifier,
      jwks_uri: `${it.IssuerIdentifier}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['RS256', 'ES384'],
    })
    const { keys } = await it.keySet()
    expect(keys.map(({ kty, alg }) => [kty, alg])).toEqual([
      ['RSA', 'RS256'],
      ['EC', 'ES384'],
    ])
    for (const jwk of keys) expect(jwk).not.toHaveProperty('d')
  })

  test('is switched off, and on again under the same name with the same keys', async () => {
    const it = await issuer()
    const before = await it.keySet()
    await expect(it.iam.send(new EnableOutboundWebIdentityFederationCommand({}))).rejects.toMatchObject({
      name: 'FeatureEnabledException',
    })
    await it.iam.send(new DisableOutboundWebIdentityFederationCommand({}))
    await expect(it.token()).rejects.toMatchObject({ name: 'OutboundWebIdentityFederationDisabledException' })
    expect(await it.keySet()).toBeUndefined()
    for (const command of [
      new GetOutboundWebIdentityFederationInfoCommand({}),
      new DisableOutboundWebIdentityFederationCommand({}),
    ]) {
      await expect(it.iam.send(command as GetOutboundWebIdentityFederationInfoCommand)).rejects.toMatchObject({
        name: 'FeatureDisabledException',
      })
    }

    await it.iam.send(new EnableOutboundWebIdentityFederationCommand({}))

    expect(await it.iam.send(new GetOutboundWebIdentityFederationInfoCommand({}))).toMatchObject({
      IssuerIdentifier: it.IssuerIdentifier,
      JwtVendingEnabled: true,
    })
    expect(await it.keySet()).toEqual(before)
  })

  test('is not found by an unknown name', async () => {
    const it = await issuer()
    const guess = it.path.replace(/[0-9a-f-]{36}$/, '00000000-0000-4000-8000-000000000000')
    expect(await it.document(`${guess}/.well-known/jwks.json`)).toBeUndefined()
    expect(await it.document('/_merlon/public/../../health')).toBeUndefined()
  })
})
