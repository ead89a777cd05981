/** A workload with a token file, as in CI: the stock `aws` command becomes a role without holding any key. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { installation, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { cleanEnvironment, run } from './command.ts'

const HOST = 'login.corp.test'
const folder = temporaryFolder()
let issuer: Server
let merlon: Running
let token: (claims?: JWTPayload) => Promise<string>

beforeAll(async () => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const names = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...names],
    { stdio: 'ignore' },
  )
  const pair = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  issuer = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    if (request.url === '/.well-known/openid-configuration') {
      return void response.end(JSON.stringify({ issuer: `https://${HOST}`, jwks_uri: `https://${HOST}/jwks` }))
    }
    response.end(JSON.stringify({ keys: [jwk] }))
  }).listen(0, '127.0.0.1')
  await once(issuer, 'listening')
  const { port } = issuer.address() as AddressInfo
  token = (claims = {}) => {
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({
      iss: `https://${HOST}`,
      sub: 'repo:blue',
      aud: 'sts.amazonaws.com',
      iat: now,
      exp: now + 600,
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(pair.privateKey)
  }

  merlon = await startMerlon(installation(), {
    NODE_EXTRA_CA_CERTS: cert,
    MERLON_FEDERATION_HOSTS: `${HOST}=127.0.0.1:${port}`,
  })
  const { accountId, accessKeyId, secretAccessKey } = merlon.accounts[0]!
  const root = new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(merlon.url) })
  await root.query('iam', 'CreateOpenIDConnectProvider', {
    Url: `https://${HOST}`,
    ClientIDList: ['sts.amazonaws.com'],
  })
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::${accountId}:oidc-provider/${HOST}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${HOST}:sub`]: 'repo:blue' } },
  }
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  await root.query('iam', 'CreateRole', { RoleName: 'ci', AssumeRolePolicyDocument })
})
afterAll(async () => {
  issuer.closeAllConnections()
  issuer.close()
  await merlon.stop()
})

async function whoAmI(text: string) {
  const file = join(temporaryFolder(), 'token')
  writeFileSync(file, text)
  const environment = {
    ...cleanEnvironment(),
    // The command keeps the sessions of roles below it.
    HOME: temporaryFolder(),
    AWS_ENDPOINT_URL: merlon.url,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ROLE_ARN: `arn:aws:iam::${merlon.accounts[0]!.accountId}:role/ci`,
    AWS_ROLE_SESSION_NAME: 'job-7',
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
  }
  return run('aws', ['sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text'], environment)
}

test('a job with a token of the trusted issuer is the role', async () => {
  const { stdout, stderr } = await whoAmI(await token())

  expect(stderr).toBe('')
  expect(stdout.trim()).toBe(`arn:aws:sts::${merlon.accounts[0]!.accountId}:assumed-role/ci/job-7`)
})

test.each([
  ['of another subject', { sub: 'repo:red' }, 'AccessDenied'],
  ['for another audience', { aud: 'elsewhere' }, 'InvalidIdentityToken'],
  ['that has expired', { exp: 1_700_000_000 }, 'ExpiredToken'],
])('a job with a token %s is refused', async (_what, claims, code) => {
  const { status, stderr } = await whoAmI(await token(claims))

  expect(status).not.toBe(0)
  expect(stderr).toContain(code)
})
