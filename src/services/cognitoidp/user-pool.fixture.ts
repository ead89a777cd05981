/** A user pool for tests: with a client, mail that arrives in memory, and a client's side of SRP. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import {
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  type CreateUserPoolClientRequest,
  CreateUserPoolCommand,
  type CreateUserPoolRequest,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { type CloudOptions, cloud } from '../../../test/cloud.ts'
import { mail } from '../../kernel/ports/mail.ts'
import { provide } from '../../kernel/ports/port.ts'
import { memoryMailer } from '../../planes/mailer/memory.ts'

export const PASSWORD = 'Sup3r-Secret-Pw!'

export type PoolOptions = Partial<CreateUserPoolRequest>
export type ClientOptions = Partial<CreateUserPoolClientRequest>

export async function poolFixture(
  options: PoolOptions = {},
  clientOptions: ClientOptions = {},
  cloudOptions: CloudOptions = {},
) {
  const mailer = memoryMailer()
  const it = await cloud({ ...cloudOptions, provides: [provide(mail, mailer), ...(cloudOptions.provides ?? [])] })
  const idp = it.client(CognitoIdentityProviderClient)
  const { UserPool } = await idp.send(
    new CreateUserPoolCommand({ PoolName: 'people', AutoVerifiedAttributes: ['email'], ...options }),
  )
  const UserPoolId = UserPool!.Id!
  const newClient = async (more: ClientOptions = {}) => {
    const { UserPoolClient } = await idp.send(
      new CreateUserPoolClientCommand({
        UserPoolId,
        ClientName: 'app',
        ExplicitAuthFlows: [
          'ALLOW_USER_SRP_AUTH',
          'ALLOW_USER_PASSWORD_AUTH',
          'ALLOW_USER_AUTH',
          'ALLOW_REFRESH_TOKEN_AUTH',
          'ALLOW_CUSTOM_AUTH',
          'ALLOW_ADMIN_USER_PASSWORD_AUTH',
        ],
        ...more,
      }),
    )
    return UserPoolClient!
  }
  const app = await newClient(clientOptions)

  /** The latest code that a message to this address carries. */
  const codeFor = async (to: string): Promise<string> => {
    await it.jobs.runDue()
    const message = mailer.delivered().findLast((each) => each.to === to)
    const code = message && /\b(\d{6})\b/.exec(message.text)?.[1]
    if (code === undefined) throw new Error(`No code has come for ${to}.`)
    return code
  }

  return { ...it, idp, UserPoolId, pool: UserPool!, app, ClientId: app.ClientId!, newClient, codeFor, mailer }
}

export type PoolFixture = Awaited<ReturnType<typeof poolFixture>>

// RFC 3526, group 15, written out so that the test does not take the server's word for it.
const N = BigInt(
  `0x${'FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF'}`,
)

const hexOf = (value: bigint): string => {
  const text = value.toString(16)
  const even = text.length % 2 ? `0${text}` : text
  return Number.parseInt(even[0]!, 16) >= 8 ? `00${even}` : even
}
const hash = (hex: string): string => createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')
const modPow = (base: bigint, exponent: bigint): bigint => {
  let [result, factor, rest] = [1n, ((base % N) + N) % N, exponent]
  while (rest > 0n) {
    if (rest & 1n) result = (result * factor) % N
    factor = (factor * factor) % N
    rest >>= 1n
  }
  return result
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export function timestampOf(now: number): string {
  const at = new Date(now)
  const two = (value: number) => String(value).padStart(2, '0')
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':')
  return `${DAYS[at.getUTCDay()]} ${MONTHS[at.getUTCMonth()]} ${at.getUTCDate()} ${time} UTC ${at.getUTCFullYear()}`
}

/** A client of SRP, written from the protocol alone. */
export function srpClient() {
  const a = BigInt(`0x${randomBytes(32).toString('hex')}`)
  const A = modPow(2n, a)
  return {
    SRP_A: A.toString(16),
    /** What proves the password: `group` and `user` as the server hashes them. */
    claim: (of: { group: string; user: string; password: string; challenge: Record<string, string>; now: number }) => {
      const { group, user, password, challenge, now } = of
      const B = BigInt(`0x${challenge['SRP_B']}`)
      const salt = BigInt(`0x${challenge['SALT']}`)
      const u = BigInt(`0x${hash(hexOf(A) + hexOf(B))}`)
      const k = BigInt(`0x${hash(hexOf(N) + hexOf(2n))}`)
      const identity = createHash('sha256').update(`${group}${user}:${password}`).digest('hex')
      const x = BigInt(`0x${hash(hexOf(salt) + identity)}`)
      const S = modPow(B - k * modPow(2n, x), a + u * x)
      const prk = createHmac('sha256', Buffer.from(hexOf(u), 'hex'))
        .update(Buffer.from(hexOf(S), 'hex'))
        .digest()
      const key = createHmac('sha256', prk)
        .update(Buffer.concat([Buffer.from('Caldera Derived Key'), Buffer.from([1])]))
        .digest()
        .subarray(0, 16)
      const TIMESTAMP = timestampOf(now)
      const PASSWORD_CLAIM_SIGNATURE = createHmac('sha256', key)
        .update(group)
        .update(user)
        .update(Buffer.from(challenge['SECRET_BLOCK']!, 'base64'))
        .update(TIMESTAMP)
        .digest('base64')
      return { TIMESTAMP, PASSWORD_CLAIM_SIGNATURE, PASSWORD_CLAIM_SECRET_BLOCK: challenge['SECRET_BLOCK']! }
    },
  }
}

interface SrpSignIn {
  readonly username: string
  readonly password?: string
  readonly parameters?: Record<string, string>
}

/** Both requests of USER_SRP_AUTH; the answer to the second. */
export async function signInBySrp(of: PoolFixture, { username, password = PASSWORD, parameters = {} }: SrpSignIn) {
  const client = srpClient()
  const { ClientId, UserPoolId, idp, clock } = of
  const first = await idp.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: 'USER_SRP_AUTH',
      AuthParameters: { USERNAME: username, SRP_A: client.SRP_A, ...parameters },
    }),
  )
  const challenge = first.ChallengeParameters!
  const group = UserPoolId.split('_')[1]!
  const claim = client.claim({ group, user: challenge['USER_ID_FOR_SRP']!, password, challenge, now: clock.now() })
  return idp.send(
    new RespondToAuthChallengeCommand({
      ClientId,
      ChallengeName: 'PASSWORD_VERIFIER',
      Session: first.Session,
      ChallengeResponses: { USERNAME: challenge['USERNAME']!, ...claim, ...parameters },
    }),
  )
}
