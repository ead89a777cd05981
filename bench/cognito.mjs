/**
 * `node bench/cognito.mjs [PART …] [--requests N] [--users N] [--connections N]`: user pools, in parts, each a JSON line of results. Needs `npm run build`.
 *
 * `existence`  time of requests about a user that exists and one that does not, by turns: |t| of Welch's t-test for each request.
 *              Above 4.5 the two can be distinguished (the bound of ISO/IEC 17825).
 * `users`      a CSV file imported, then `ListUsers` with filters. Default: 10,000 users; the figure is `--users 100000`.
 * `passwords`  `USER_PASSWORD_AUTH` a second, beside moto and cognito-local where they are installed.
 * `machines`   client credentials a second, beside `oidc-provider`.
 * `srp`        `USER_SRP_AUTH` a second of the server's processor time, beside the bare cryptography of one in this process: three modular
 *              exponentiations and the signatures of two tokens.
 */
import { spawn, spawnSync } from 'node:child_process'
import {
  createDiffieHellman,
  createHash,
  createHmac,
  generateKeyPairSync,
  getDiffieHellman,
  randomBytes,
  sign,
} from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateResourceServerCommand,
  CreateUserImportJobCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  DescribeUserImportJobCommand,
  GetCSVHeaderCommand,
  ListUsersCommand,
  StartUserImportJobCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { endWithUs, freePort, running, startMerlon, startMoto } from './servers.mjs'

const PASSWORD = 'Sup3r-Secret-Pw!'
const WRONG = 'Wr0ng-Secret-Pw!'
const WARM_UP = 150
/** Requests with each filter. */
const FILTERED = 200
const words = process.argv.slice(2)
const option = (name, fallback) => (words.includes(name) ? Number(words[words.indexOf(name) + 1]) : fallback)
const REQUESTS = option('--requests', 400)
const USERS = option('--users', 10_000)
const CONNECTIONS = option('--connections', 4)

const print = (result) => console.log(JSON.stringify(result))
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Answer and milliseconds of one request on a kept connection. */
async function send(url, { method = 'POST', path = '/', headers, body }) {
  const startedAt = performance.now()
  const { hostname, port } = new URL(url)
  const sent = httpRequest({
    hostname,
    port,
    method,
    path,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    agent,
  })
  sent.end(body)
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const part of response) text += part
  return { status: response.statusCode, text, ms: performance.now() - startedAt }
}

const unsigned = (url, operation, input) =>
  send(url, {
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
    },
    body: JSON.stringify(input),
  })

/** Processor time so far of the main thread, in milliseconds. */
const mainMs = (server) => server.threadsUs().values().next().value.us / 1000

/**
 * How many a second, over `CONNECTIONS` connections; and the processor time of each in milliseconds, of all threads and of the main one.
 * The first requests, which compile the code, are not counted.
 */
async function rate(server, count, work) {
  for (let n = 0; n < WARM_UP; n++) await work(n)
  const [cpu, main, startedAt] = [server.cpuMs(), mainMs(server), performance.now()]
  let next = 0
  const lane = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, lane))
  return {
    perSecond: Math.round((count * 1000) / (performance.now() - startedAt)),
    cpuMs: Number(((server.cpuMs() - cpu) / count).toFixed(2)),
    mainCpuMs: Number(((mainMs(server) - main) / count).toFixed(2)),
  }
}

async function pool(server, client = {}, options = {}) {
  const idp = new CognitoIdentityProviderClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: server.credentials,
  })
  const { UserPool } = await idp.send(
    new CreateUserPoolCommand({ PoolName: 'bench', AutoVerifiedAttributes: ['email'], ...options }),
  )
  const UserPoolId = UserPool.Id
  const { UserPoolClient } = await idp.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: 'bench',
      ExplicitAuthFlows: [
        'ALLOW_USER_PASSWORD_AUTH',
        'ALLOW_USER_SRP_AUTH',
        'ALLOW_USER_AUTH',
        'ALLOW_REFRESH_TOKEN_AUTH',
      ],
      ...client,
    }),
  )
  const user = async (Username) => {
    const UserAttributes = [
      { Name: 'email', Value: `${Username}@bench.test` },
      { Name: 'email_verified', Value: 'true' },
    ]
    await idp.send(new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes, MessageAction: 'SUPPRESS' }))
    await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: PASSWORD, Permanent: true }))
  }
  return { idp, UserPoolId, ClientId: UserPoolClient.ClientId, secret: UserPoolClient.ClientSecret, user }
}

const signedIn = (answer) => {
  if (answer.status !== 200 || !answer.text.includes('AccessToken')) throw new Error(answer.text)
  return answer
}

const SRP_A = getDiffieHellman('modp15').generateKeys('hex')

/** |t| of two samples whose variances may differ. The slowest twentieth of each is left out: the machine's, not the server's. */
function welch(a, b) {
  const trimmed = (values) => values.toSorted((x, y) => x - y).slice(0, Math.ceil(values.length * 0.95))
  const facts = (values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
    return { mean, ofMean: variance / values.length }
  }
  const [left, right] = [facts(trimmed(a)), facts(trimmed(b))]
  return Math.abs(left.mean - right.mean) / Math.sqrt(left.ofMean + right.ofMean)
}

async function existence() {
  const spool = mkdtempSync(join(tmpdir(), 'merlon-mail-'))
  const server = await startMerlon({ options: ['--mail', `file://${spool}`] })
  const { ClientId, user } = await pool(
    server,
    { PreventUserExistenceErrors: 'ENABLED' },
    { Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } } },
  )
  // A user for each few requests: wrong answers lock out, and a message is sent to an address so many times a day.
  const EACH = 4
  const names = Math.ceil(REQUESTS / EACH)
  for (let n = 0; n < names; n++) await user(`known-${n}`)
  const initiate = (AuthFlow, AuthParameters) =>
    unsigned(server.url, 'InitiateAuth', { ClientId, AuthFlow, AuthParameters })
  const respond = async (USERNAME, first, ChallengeName, responses) => {
    const { Session } = JSON.parse((await first).text)
    return unsigned(server.url, 'RespondToAuthChallenge', {
      ClientId,
      ChallengeName,
      Session,
      ChallengeResponses: { USERNAME, ...responses },
    })
  }
  const confirmation = (Username) => ({ ClientId, Username, ConfirmationCode: '000000' })
  const byChoice = (USERNAME, more) => initiate('USER_AUTH', { USERNAME, ...more })
  const requests = {
    password: (name) => initiate('USER_PASSWORD_AUTH', { USERNAME: name, PASSWORD: WRONG }),
    'srp, first step': (name) => initiate('USER_SRP_AUTH', { USERNAME: name, SRP_A }),
    'srp, second step': async (name) => {
      const { ChallengeParameters } = JSON.parse((await initiate('USER_SRP_AUTH', { USERNAME: name, SRP_A })).text)
      return respond(name, initiate('USER_SRP_AUTH', { USERNAME: name, SRP_A }), 'PASSWORD_VERIFIER', {
        PASSWORD_CLAIM_SECRET_BLOCK: ChallengeParameters.SECRET_BLOCK,
        PASSWORD_CLAIM_SIGNATURE: Buffer.alloc(32).toString('base64'),
        TIMESTAMP: timestamp(),
      })
    },
    choice: (name) => byChoice(name, {}),
    'chosen password': (name) => byChoice(name, { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: WRONG }),
    'chosen srp': (name) => byChoice(name, { PREFERRED_CHALLENGE: 'PASSWORD_SRP', SRP_A }),
    'chosen code': (name) => byChoice(name, { PREFERRED_CHALLENGE: 'EMAIL_OTP' }),
    'wrong code': (name) =>
      respond(name, byChoice(name, { PREFERRED_CHALLENGE: 'EMAIL_OTP' }), 'EMAIL_OTP', { EMAIL_OTP_CODE: '000000' }),
    ForgotPassword: (name) => unsigned(server.url, 'ForgotPassword', { ClientId, Username: name }),
    ConfirmForgotPassword: (name) =>
      unsigned(server.url, 'ConfirmForgotPassword', { ...confirmation(name), Password: PASSWORD }),
    ConfirmSignUp: (name) => unsigned(server.url, 'ConfirmSignUp', confirmation(name)),
    ResendConfirmationCode: (name) => unsigned(server.url, 'ResendConfirmationCode', { ClientId, Username: name }),
  }
  for (const [name, request] of Object.entries(requests)) {
    const samples = { known: [], unknown: [] }
    for (let n = 0; n < REQUESTS; n++) {
      // The order changes by chance, or the second of each pair would profit from the first.
      const sides = randomBytes(1)[0] & 1 ? ['known', 'unknown'] : ['unknown', 'known']
      for (const side of sides) samples[side].push((await request(`${side}-${n % names}`)).ms)
    }
    print({
      part: 'existence',
      name,
      t: Number(welch(samples.known, samples.unknown).toFixed(2)),
      knownMs: Number(median(samples.known).toFixed(3)),
      unknownMs: Number(median(samples.unknown).toFixed(3)),
    })
  }
  await server.stop()
  rmSync(spool, { recursive: true, force: true })
}

async function users() {
  const server = await startMerlon()
  const { idp, UserPoolId } = await pool(server)
  const iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials })
  const document = (statement) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] })
  const trust = { Principal: { Service: 'cognito-idp.amazonaws.com' }, Action: 'sts:AssumeRole' }
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: 'importer', AssumeRolePolicyDocument: document(trust) }),
  )
  const PolicyDocument = document({ Action: 'logs:*', Resource: '*' })
  await iam.send(new PutRolePolicyCommand({ RoleName: 'importer', PolicyName: 'log', PolicyDocument }))
  const { CSVHeader } = await idp.send(new GetCSVHeaderCommand({ UserPoolId }))
  const lines = Array.from({ length: USERS }, (_, n) => {
    const values = {
      'cognito:username': `user-${n}`,
      email: `user-${n}@bench.test`,
      email_verified: 'true',
      name: `Name ${n}`,
    }
    return CSVHeader.map((column) => values[column] ?? '').join(',')
  })
  const { UserImportJob } = await idp.send(
    new CreateUserImportJobCommand({ UserPoolId, JobName: 'bench', CloudWatchLogsRoleArn: Role.Arn }),
  )
  const startedAt = performance.now()
  const address = new URL(UserImportJob.PreSignedUrl)
  const body = `${[CSVHeader.join(','), ...lines].join('\n')}\n`
  const uploaded = await send(server.url, { method: 'PUT', path: address.pathname + address.search, headers: {}, body })
  if (uploaded.status !== 200) throw new Error(uploaded.text)
  const { JobId } = UserImportJob
  await idp.send(new StartUserImportJobCommand({ UserPoolId, JobId }))
  let job
  do {
    await new Promise((resolve) => setTimeout(resolve, 250))
    job = (await idp.send(new DescribeUserImportJobCommand({ UserPoolId, JobId }))).UserImportJob
  } while (job.Status === 'Pending' || job.Status === 'InProgress')
  const seconds = (performance.now() - startedAt) / 1000
  print({ part: 'users', imported: job.ImportedUsers, status: job.Status, seconds: Number(seconds.toFixed(1)) })
  const one = Math.floor(USERS / 2)
  const filters = {
    'email =': `email = "user-${one}@bench.test"`,
    'email ^=': `email ^= "user-${one}"`,
    'username ^=': 'username ^= "user-"',
    'name =': `name = "Name ${one}"`,
    'status =': 'cognito:user_status = "RESET_REQUIRED"',
  }
  // What the import left behind is collected meanwhile: two collections of some ten milliseconds each, whatever is requested.
  for (let n = 0; n < FILTERED; n++) await idp.send(new ListUsersCommand({ UserPoolId }))
  for (const [name, Filter] of Object.entries(filters)) {
    const times = []
    const cpu = server.cpuMs()
    for (let n = 0; n < FILTERED; n++) {
      const at = performance.now()
      await idp.send(new ListUsersCommand({ UserPoolId, Filter }))
      times.push(performance.now() - at)
    }
    const sorted = times.toSorted((a, b) => a - b)
    print({
      part: 'users',
      filter: name,
      medianMs: Number(median(times).toFixed(1)),
      p98Ms: Number(sorted[Math.floor(FILTERED * 0.98)].toFixed(1)),
      cpuMs: Number(((server.cpuMs() - cpu) / FILTERED).toFixed(2)),
    })
  }
  await server.stop()
}

async function startCognitoLocal() {
  if (spawnSync('cognito-local', ['--version'], { stdio: 'ignore' }).error) return undefined
  const port = await freePort()
  const child = spawn('cognito-local', [], { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' })
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  return running('cognito-local', `http://127.0.0.1:${port}`, child, { accessKeyId: 'a', secretAccessKey: 'b' })
}

async function passwords() {
  for (const start of [startMerlon, startMoto, startCognitoLocal]) {
    const server = await start()
    if (!server) continue
    const { ClientId, user } = await pool(server)
    await user('ana')
    const AuthParameters = { USERNAME: 'ana', PASSWORD }
    const result = await rate(server, REQUESTS, async () =>
      signedIn(
        await unsigned(server.url, 'InitiateAuth', { ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }),
      ),
    )
    print({ part: 'passwords', server: server.name, ...result })
    await server.stop()
  }
}

async function machines() {
  const merlon = await startMerlon()
  const options = {
    AllowedOAuthFlows: ['client_credentials'],
    AllowedOAuthFlowsUserPoolClient: true,
    GenerateSecret: true,
  }
  const { idp, UserPoolId } = await pool(merlon)
  await idp.send(
    new CreateResourceServerCommand({
      UserPoolId,
      Identifier: 'api',
      Name: 'api',
      Scopes: [{ ScopeName: 'read', ScopeDescription: 'read' }],
    }),
  )
  const { UserPoolClient } = await idp.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: 'machine',
      AllowedOAuthScopes: ['api/read'],
      ...options,
    }),
  )
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'bench' }))
  const script = fileURLToPath(new URL('programs/oidc-machines.mjs', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'ignore'] })
  endWithUs(child)
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const peer = running('oidc-provider', JSON.parse(line).url, child, {})
  const sides = [
    {
      server: merlon,
      path: '/oauth2/token',
      host: 'bench.auth.us-east-1.amazoncognito.com',
      scope: 'api/read',
      basic: `${UserPoolClient.ClientId}:${UserPoolClient.ClientSecret}`,
    },
    {
      server: peer,
      path: '/token',
      host: new URL(peer.url).host,
      scope: 'read',
      basic: 'machine:a-secret-of-the-bench',
    },
  ]
  for (const { server, path, host, scope, basic } of sides) {
    const headers = {
      host,
      authorization: `Basic ${Buffer.from(basic).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    }
    const body = new URLSearchParams({ grant_type: 'client_credentials', scope }).toString()
    const result = await rate(server, REQUESTS, async () => {
      const answer = await send(server.url, { path, headers, body })
      if (answer.status !== 200) throw new Error(`${server.name}: ${answer.text}`)
    })
    print({ part: 'machines', server: server.name, ...result })
  }
  await merlon.stop()
  await peer.stop()
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
function timestamp(at = new Date()) {
  const time = at.toISOString().slice(11, 19)
  return `${DAYS[at.getUTCDay()]} ${MONTHS[at.getUTCMonth()]} ${at.getUTCDate()} ${time} UTC ${at.getUTCFullYear()}`
}

const PRIME = getDiffieHellman('modp15').getPrime()
const N = BigInt(`0x${PRIME.toString('hex')}`)
const bigOf = (bytes) => BigInt(`0x${bytes.toString('hex')}`)
/** Two's complement, as the protocol hashes numbers. */
const padded = (value) => {
  const text = value.toString(16)
  const even = text.length % 2 ? `0${text}` : text
  return Buffer.from(Number.parseInt(even[0], 16) >= 8 ? `00${even}` : even, 'hex')
}
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
/** base ** exponent mod N, by OpenSSL. */
function power(base, exponent) {
  const group = createDiffieHellman(PRIME, 2)
  group.setPrivateKey(exponent)
  return group.computeSecret(Buffer.from(base.toString(16).padStart(768, '0'), 'hex'))
}

/** A client's side of one sign-in, with one key pair for all: what it costs is not the server's. */
function srpClient() {
  const a = randomBytes(32)
  const A = bigOf(power(2n, a))
  const k = bigOf(sha256(padded(N), padded(2n)))
  return {
    A: A.toString(16),
    answer: (group, { SRP_B, SALT, SECRET_BLOCK, USER_ID_FOR_SRP: name }) => {
      const [B, salt] = [BigInt(`0x${SRP_B}`), BigInt(`0x${SALT}`)]
      const u = bigOf(sha256(padded(A), padded(B)))
      const x = bigOf(sha256(padded(salt), sha256(Buffer.from(`${group}${name}:${PASSWORD}`))))
      const hex = (value) => Buffer.from(value.toString(16).padStart(128, '0'), 'hex')
      const base = (((B - k * bigOf(power(2n, hex(x)))) % N) + N) % N
      const S = bigOf(power(base, hex(bigOf(a) + u * x)))
      const prk = createHmac('sha256', padded(u)).update(padded(S)).digest()
      const key = createHmac('sha256', prk)
        .update('Caldera Derived Key')
        .update(Buffer.from([1]))
        .digest()
        .subarray(0, 16)
      const TIMESTAMP = timestamp()
      const signed = createHmac('sha256', key).update(`${group}${name}`).update(Buffer.from(SECRET_BLOCK, 'base64'))
      return {
        USERNAME: name,
        TIMESTAMP,
        PASSWORD_CLAIM_SIGNATURE: signed.update(TIMESTAMP).digest('base64'),
        PASSWORD_CLAIM_SECRET_BLOCK: SECRET_BLOCK,
      }
    },
  }
}

async function srp() {
  const server = await startMerlon()
  const { ClientId, UserPoolId, user } = await pool(server)
  await user('ana')
  const client = srpClient()
  const group = UserPoolId.split('_')[1]
  const result = await rate(server, REQUESTS, async () => {
    const first = await unsigned(server.url, 'InitiateAuth', {
      ClientId,
      AuthFlow: 'USER_SRP_AUTH',
      AuthParameters: { USERNAME: 'ana', SRP_A: client.A },
    })
    const { ChallengeParameters, Session } = JSON.parse(first.text)
    const ChallengeResponses = client.answer(group, ChallengeParameters)
    const input = { ClientId, ChallengeName: 'PASSWORD_VERIFIER', Session, ChallengeResponses }
    return signedIn(await unsigned(server.url, 'RespondToAuthChallenge', input))
  })
  // What the server must compute: g**b, v**u and (A * v**u)**b, and the signatures of an ID and an access token.
  const [b, u, v] = [randomBytes(32), randomBytes(32), bigOf(randomBytes(384)) % N]
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const claims = randomBytes(800)
  const before = process.cpuUsage()
  for (let n = 0; n < REQUESTS; n++) {
    power(2n, b)
    power(v, u)
    power(v, b)
    sign('sha256', claims, privateKey)
    sign('sha256', claims, privateKey)
  }
  const spent = process.cpuUsage(before)
  const bareMs = (spent.user + spent.system) / 1000 / REQUESTS
  print({
    part: 'srp',
    ...result,
    bareCpuMs: Number(bareMs.toFixed(2)),
    share: Number((bareMs / result.cpuMs).toFixed(2)),
  })
  await server.stop()
}

const parts = { existence, users, passwords, machines, srp }
const wanted = words.filter((word, at) => word in parts && !words[at - 1]?.startsWith('--'))
for (const name of wanted.length > 0 ? wanted : Object.keys(parts)) await parts[name]()
agent.destroy()
