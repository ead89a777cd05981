/** Federation with a real peer: signing in at an OpenID provider leads to a role here. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { installation, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { cleanEnvironment, run } from './command.ts'
import { type OidcPeer, oidcPeer } from './oidc-peer.ts'

const HOST = 'accounts.corp.test'
let peer: OidcPeer
let merlon: Running
let account: string

beforeAll(async () => {
  const folder = temporaryFolder()
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const names = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', keyFile, '-out', certFile, ...names],
    { stdio: 'ignore' },
  )
  peer = await oidcPeer({ host: HOST, key: readFileSync(keyFile), cert: readFileSync(certFile), clientId: 'blue-app' })
  merlon = await startMerlon(installation(), {
    NODE_EXTRA_CA_CERTS: certFile,
    MERLON_FEDERATION_HOSTS: `${HOST}=127.0.0.1:${peer.port}`,
  })
  const { accountId, accessKeyId, secretAccessKey } = merlon.accounts[0]!
  account = accountId
  const root = new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(merlon.url) })
  await root.query('iam', 'CreateOpenIDConnectProvider', { Url: `https://${HOST}`, ClientIDList: ['blue-app'] })
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::${accountId}:oidc-provider/${HOST}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${HOST}:aud`]: 'blue-app' }, StringLike: { [`${HOST}:sub`]: 'ann@*' } },
  }
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  await root.query('iam', 'CreateRole', { RoleName: 'people', AssumeRolePolicyDocument })
})
afterAll(async () => {
  peer?.close()
  await merlon?.stop()
})

async function assume(token: string) {
  const file = join(temporaryFolder(), 'token')
  writeFileSync(file, token)
  return run('aws', ['sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text'], {
    ...cleanEnvironment(),
    HOME: temporaryFolder(),
    AWS_ENDPOINT_URL: merlon.url,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ROLE_ARN: `arn:aws:iam::${account}:role/people`,
    AWS_ROLE_SESSION_NAME: 'ann',
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
  })
}

test('a person signed in at the provider is the role', async () => {
  const { stdout, stderr } = await assume(await peer.signIn('ann@corp.test'))

  expect(stderr).toBe('')
  expect(stdout.trim()).toBe(`arn:aws:sts::${account}:assumed-role/people/ann`)
})

test('another person of the same provider is not', async () => {
  const { status, stderr } = await assume(await peer.signIn('bob@corp.test'))

  expect(status).not.toBe(0)
  expect(stderr).toContain('AccessDenied')
})

test('a token changed by one bit, or said to need no signature, is refused', async () => {
  const [header, claims, signature] = (await peer.signIn('ann@corp.test')).split('.') as [string, string, string]
  const bytes = Buffer.from(signature, 'base64url')
  bytes[10]! ^= 1
  const none = Buffer.from('{"alg":"none"}').toString('base64url')

  for (const token of [`${header}.${claims}.${bytes.toString('base64url')}`, `${none}.${claims}.`]) {
    const { status, stderr } = await assume(token)
    expect(status).not.toBe(0)
    expect(stderr).toContain('InvalidIdentityToken')
  }
})
