/** A token of ours is verified by an independent library over HTTP, as any service would. */
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installation, type Running, startMerlon } from '../process.ts'
import { environmentFor, run } from './command.ts'

let server: Running

beforeAll(async () => {
  server = await startMerlon(installation())
})
afterAll(() => server?.stop())

test('boto3 gets a token that jose verifies from the discovery document on', async () => {
  const { accountId, ...keys } = server.accounts[0]!
  const script = [
    'import boto3',
    "print(boto3.client('iam').enable_outbound_web_identity_federation()['IssuerIdentifier'])",
    "print(boto3.client('sts').get_web_identity_token(Audience=['shop'], SigningAlgorithm='RS256')['WebIdentityToken'])",
  ].join('\n')
  const { stdout, stderr } = await run('python3', ['-c', script], environmentFor(server.url, keys))
  expect(stderr).not.toContain('Error')
  const [issuer = '', token = ''] = stdout.trim().split('\n')

  const discovery = await fetch(`${issuer}/.well-known/openid-configuration`)
  const { jwks_uri } = (await discovery.json()) as { jwks_uri: string }
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri)), { issuer, audience: 'shop' })

  expect(issuer.startsWith(server.url)).toBe(true)
  expect(discovery.headers.get('content-type')).toBe('application/json')
  expect(payload.sub).toBe(`arn:aws:iam::${accountId}:root`)
  expect((await fetch(`${server.url}/_merlon/public/issuers/none`)).status).toBe(404)
})

test('--public-url is what tokens name, and must be an address without a path', async () => {
  const named = await startMerlon([...installation(), '--public-url', 'https://merlon.example'])
  try {
    const script =
      "import boto3; print(boto3.client('iam').enable_outbound_web_identity_federation()['IssuerIdentifier'])"
    const { stdout } = await run('python3', ['-c', script], environmentFor(named.url, named.accounts[0]!))
    expect(stdout).toMatch(/^https:\/\/merlon\.example\/_merlon\/public\/issuers\/[0-9a-f-]{36}\n$/)
  } finally {
    await named.stop()
  }
  await expect(startMerlon(['--dev', '--public-url', 'https://merlon.example/path'])).rejects.toThrow(/--public-url/)
})
