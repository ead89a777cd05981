/** Cognito by the libraries that apps use, unmodified: amazon-cognito-identity-js, aws-jwt-verify, openid-client and boto3. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  SetUserPoolMfaConfigCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import * as Identity from 'amazon-cognito-identity-js'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeAt, stepAt } from '../../src/engines/totp/totp.ts'
import { installation, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { environmentFor, run } from './command.ts'

const PASSWORD = 'Sup3r-Secret-Pw!'
const CALLBACK = 'https://app.corp.test/callback'
const spool = join(temporaryFolder(), 'mail')

let merlon: Running
let idp: CognitoIdentityProviderClient
let UserPoolId: string
let ClientId: string

beforeAll(async () => {
  mkdirSync(spool)
  merlon = await startMerlon([...installation(), '--mail', `file://${spool}`])
  const { accessKeyId, secretAccessKey } = merlon.accounts[0]!
  idp = new CognitoIdentityProviderClient({
    endpoint: merlon.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  })
  const { UserPool } = await idp.send(
    new CreateUserPoolCommand({
      PoolName: 'people',
      AutoVerifiedAttributes: ['email'],
      DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: false },
    }),
  )
  UserPoolId = UserPool!.Id!
  await idp.send(
    new SetUserPoolMfaConfigCommand({
      UserPoolId,
      MfaConfiguration: 'OPTIONAL',
      SoftwareTokenMfaConfiguration: { Enabled: true },
    }),
  )
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  const { UserPoolClient } = await idp.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: 'app',
      ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_PASSWORD_AUTH'],
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid', 'email'],
      CallbackURLs: [CALLBACK],
    }),
  )
  ClientId = UserPoolClient!.ClientId!
}, 120_000)

afterAll(() => merlon.stop())

const seen = new Set<string>()

/** The code of a message that has come since the last look. */
async function codeFromSpool(): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const file = readdirSync(spool).find((name) => name.endsWith('.eml') && !seen.has(name))
    const code = file && /\b(\d{6})\b/.exec(readFileSync(join(spool, file), 'utf8').split(/\r?\n\r?\n/)[1] ?? '')?.[1]
    if (file) seen.add(file)
    if (code) return code
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('No message with a code has come.')
}

class Memory implements Identity.ICognitoStorage {
  readonly #items = new Map<string, string>()
  setItem(key: string, value: string) {
    this.#items.set(key, value)
  }
  getItem(key: string) {
    return this.#items.get(key) ?? null
  }
  removeItem(key: string) {
    this.#items.delete(key)
  }
  clear() {
    this.#items.clear()
  }
}

const bytesOf = (base32: string): Buffer => {
  const bits = [...base32]
    .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}

type Result<T> = (error: Error | undefined | null, value?: T) => void
const called = <T>(work: (done: Result<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => work((error, value) => (error ? reject(error) : resolve(value as T))))

interface SignedIn {
  readonly session?: Identity.CognitoUserSession
  readonly challenge?: string
}

const signIn = (user: Identity.CognitoUser, password: string): Promise<SignedIn> =>
  new Promise((resolve, reject) =>
    user.authenticateUser(new Identity.AuthenticationDetails({ Username: user.getUsername(), Password: password }), {
      onSuccess: (session) => resolve({ session }),
      onFailure: reject,
      totpRequired: (challenge) => resolve({ challenge }),
    }),
  )

test('amazon-cognito-identity-js: sign-up, code, SRP, authenticator app, remembered device, refresh, global sign-out', async () => {
  const Storage = new Memory()
  const pool = new Identity.CognitoUserPool({ UserPoolId, ClientId, endpoint: merlon.url, Storage })
  const attributes = [new Identity.CognitoUserAttribute({ Name: 'email', Value: 'ana@corp.test' })]
  await called((done) => pool.signUp('ana', PASSWORD, attributes, [], done as never))
  const userOf = () => new Identity.CognitoUser({ Username: 'ana', Pool: pool, Storage })
  const ana = userOf()
  await called<string>((done) => void codeFromSpool().then((code) => ana.confirmRegistration(code, true, done), done))

  await expect(signIn(userOf(), 'Wr0ng-Password!')).rejects.toMatchObject({ code: 'NotAuthorizedException' })
  const { session } = await signIn(ana, PASSWORD)
  const verifierOf = (tokenUse: 'id' | 'access') => {
    const verifier = CognitoJwtVerifier.create({ userPoolId: UserPoolId, clientId: ClientId, tokenUse })
    return verifier
  }
  const jwks = (await (await fetch(`${merlon.url}/${UserPoolId}/.well-known/jwks.json`)).json()) as never
  for (const [use, token] of [
    ['id', session!.getIdToken().getJwtToken()],
    ['access', session!.getAccessToken().getJwtToken()],
  ] as const) {
    const verifier = verifierOf(use)
    verifier.cacheJwks(jwks)
    expect(await verifier.verify(token as never)).toMatchObject({ token_use: use })
    await expect(verifier.verify(`${token.slice(0, -6)}AAAAAA` as never)).rejects.toThrow()
  }

  // The library confirmed the device automatically: the pool remembers every one.
  const secret = await new Promise<string>((resolve, reject) =>
    ana.associateSoftwareToken({ associateSecretCode: resolve, onFailure: reject }),
  )
  const seed = bytesOf(secret)
  await new Promise((resolve, reject) =>
    ana.verifySoftwareToken(codeAt(seed, stepAt(Date.now())), 'phone', { onSuccess: resolve, onFailure: reject }),
  )
  await called((done) => ana.setUserMfaPreference(null, { Enabled: true, PreferredMfa: true }, done))

  const known = userOf()
  expect((await signIn(known, PASSWORD)).session).toBeDefined()
  const strange = new Identity.CognitoUser({
    Username: 'ana',
    Pool: new Identity.CognitoUserPool({ UserPoolId, ClientId, endpoint: merlon.url, Storage: new Memory() }),
    Storage: new Memory(),
  })
  expect((await signIn(strange, PASSWORD)).challenge).toBe('SOFTWARE_TOKEN_MFA')

  const before = known.getSignInUserSession()!
  const renewed = await called<Identity.CognitoUserSession>((done) =>
    known.refreshSession(before.getRefreshToken(), done),
  )
  expect(renewed.getAccessToken().getJwtToken()).not.toBe(before.getAccessToken().getJwtToken())
  await new Promise((resolve, reject) => known.globalSignOut({ onSuccess: resolve, onFailure: reject }))
  await expect(called((done) => known.refreshSession(before.getRefreshToken(), done))).rejects.toMatchObject({
    code: 'NotAuthorizedException',
  })
})

test('openid-client: code and PKCE through the pages, userInfo, refresh, revocation', async () => {
  const Username = 'bea'
  await idp.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username,
      MessageAction: 'SUPPRESS',
      UserAttributes: [{ Name: 'email', Value: 'bea@corp.test' }],
    }),
  )
  await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: PASSWORD, Permanent: true }))
  const web = new URL(merlon.console!).origin
  const base = `${web}/_cognito/us-east-1/people`
  const discovered = (await (
    await fetch(`${merlon.url}/${UserPoolId}/.well-known/openid-configuration`)
  ).json()) as oidc.ServerMetadata
  const here = (path: string) => `${base}${path}`
  const config = new oidc.Configuration(
    {
      ...discovered,
      authorization_endpoint: here('/oauth2/authorize'),
      token_endpoint: here('/oauth2/token'),
      userinfo_endpoint: here('/oauth2/userInfo'),
      revocation_endpoint: here('/oauth2/revoke'),
    },
    ClientId,
    undefined,
    oidc.None(),
  )
  oidc.allowInsecureRequests(config)
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const expectedState = oidc.randomState()
  const address = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid email',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  })
  const first = await fetch(address, { redirect: 'manual' })
  const page = await fetch(new URL(first.headers.get('location')!, web))
  const cookie = page.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const text = await page.text()
  const fields = [...text.matchAll(/name="(csrf|request)" value="([^"]*)"/g)].map(([, name, value]) => [
    name!,
    value!.replace(/&amp;/g, '&'),
  ])
  const sent = await fetch(here('/login'), {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams([...fields, ['username', Username], ['password', PASSWORD]]),
  })
  const back = new URL(sent.headers.get('location')!)
  const tokens = await oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState })
  expect(tokens.claims()).toMatchObject({ aud: ClientId, 'cognito:username': 'bea', email: 'bea@corp.test' })
  expect(await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims()!.sub)).toMatchObject({ username: 'bea' })
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token!)
  expect(refreshed.access_token).toBeTypeOf('string')
  await oidc.tokenRevocation(config, tokens.refresh_token!)
  await expect(oidc.refreshTokenGrant(config, tokens.refresh_token!)).rejects.toMatchObject({ error: 'invalid_grant' })
  await expect(oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState })).rejects.toMatchObject({
    error: 'invalid_grant',
  })
})

const BOTO3 = `
import boto3, sys
pool, client = sys.argv[1:]
idp = boto3.client('cognito-idp')
idp.admin_create_user(UserPoolId=pool, Username='cid', MessageAction='SUPPRESS', TemporaryPassword='Temp0rary-Pw!', UserAttributes=[{'Name': 'email', 'Value': 'cid@corp.test'}])
first = idp.initiate_auth(ClientId=client, AuthFlow='USER_PASSWORD_AUTH', AuthParameters={'USERNAME': 'cid', 'PASSWORD': 'Temp0rary-Pw!'})
assert first['ChallengeName'] == 'NEW_PASSWORD_REQUIRED', first
done = idp.respond_to_auth_challenge(ClientId=client, ChallengeName='NEW_PASSWORD_REQUIRED', Session=first['Session'], ChallengeResponses={'USERNAME': 'cid', 'NEW_PASSWORD': '${PASSWORD}'})
token = done['AuthenticationResult']['AccessToken']
print(idp.get_user(AccessToken=token)['Username'])
print(len(idp.list_users(UserPoolId=pool, Filter='email ^= "cid@"')['Users']))
idp.global_sign_out(AccessToken=token)
try:
    idp.get_user(AccessToken=token)
except idp.exceptions.NotAuthorizedException as error:
    print(error.response['Error']['Message'])
`

test('boto3: a temporary password, a user found by filter, and a token that is dead after the sign-out', async () => {
  const script = join(temporaryFolder(), 'cognito.py')
  writeFileSync(script, BOTO3)
  const { status, stdout, stderr } = await run(
    'python3',
    [script, UserPoolId, ClientId],
    environmentFor(merlon.url, merlon.accounts[0]!),
  )
  expect(stderr).toBe('')
  expect(status).toBe(0)
  expect(stdout.trim().split('\n')).toEqual(['cid', '1', 'Access Token has been revoked'])
})
