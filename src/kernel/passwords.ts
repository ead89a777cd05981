/** Passwords at rest (scrypt, RFC 7914) and what an account demands of them. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { Fault } from '../wire/fault.ts'

export interface PasswordHash {
  readonly algorithm: 'scrypt'
  /** log2 of scrypt's N; kept with the hash, so that it can grow. */
  readonly logN: number
  /** base64 */
  readonly salt: string
  /** base64 */
  readonly hash: string
}

/** N of 2^15 with r of 8: 32 MiB for each try. Only the set-up of the fast tests lowers it (`test/setup.ts`). */
export const PASSWORD_COST = { logN: 15 }
const HASH_BYTES = 32

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16)
  const { logN } = PASSWORD_COST
  const hash = await derive(password, salt, logN)
  return { algorithm: 'scrypt', logN, salt: salt.toString('base64'), hash: hash.toString('base64') }
}

export async function passwordMatches(stored: PasswordHash, password: string): Promise<boolean> {
  const hash = await derive(password, Buffer.from(stored.salt, 'base64'), stored.logN)
  return timingSafeEqual(hash, Buffer.from(stored.hash, 'base64'))
}

/**
 * Hashing for callers that have proved nothing yet. Each try takes 32 MiB and a thread of the pool, so few run at a time,
 * and a queue that is full refuses.
 */
class HashingQueue {
  readonly #waiting: (() => void)[] = []
  #running = 0

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= RUNNING_MAX) {
      if (this.#waiting.length >= WAITING_MAX)
        throw new Fault('ServiceUnavailable', 'Too many sign-ins at the moment. Try again in a few seconds.')
      await new Promise<void>((enter) => void this.#waiting.push(enter))
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}

const RUNNING_MAX = 2
const WAITING_MAX = 64

export const HASHING = new HashingQueue()

function derive(password: string, salt: Buffer, logN: number): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** logN, r: 8, p: 1, maxmem: 2 ** logN * 8 * 256 }
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, HASH_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

/** What an account demands. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_PasswordPolicy.html */
export interface PasswordRules {
  readonly lengthMin: number
  readonly symbols: boolean
  readonly numbers: boolean
  readonly uppercase: boolean
  readonly lowercase: boolean
}

const SYMBOLS = "!@#$%^&*()_+-=[]{}|'"

const kinds = [
  { rule: 'uppercase', has: /[A-Z]/, words: 'at least one uppercase letter' },
  { rule: 'lowercase', has: /[a-z]/, words: 'at least one lowercase letter' },
  { rule: 'numbers', has: /[0-9]/, words: 'at least one number' },
  {
    rule: 'symbols',
    has: new RegExp(`[${SYMBOLS.replace(/[\]\\^-]/g, '\\$&')}]`),
    words: `at least one of the following symbols: ${SYMBOLS}`,
  },
] as const

const LENGTH_MIN_DEFAULT = 8
const KINDS_MIN_DEFAULT = 3

/**
 * What is wrong with a password, in a sentence; undefined when nothing is. Without rules of its own an account has
 * AWS's: eight characters of three kinds, and not the account's name.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
 */
export function passwordProblem(
  password: string,
  rules: PasswordRules | undefined,
  names: readonly string[],
): string | undefined {
  const length = rules?.lengthMin ?? LENGTH_MIN_DEFAULT
  if (password.length < length) return `Password should have a minimum length of ${length}`
  if (names.includes(password)) return 'Password should not be the same as the account name'

  const lacking = kinds.filter(({ has }) => !has.test(password))
  if (rules) {
    const lacked = lacking.find(({ rule }) => rules[rule])
    return lacked && `Password should have ${lacked.words}`
  }
  if (kinds.length - lacking.length >= KINDS_MIN_DEFAULT) return undefined
  return `Password should have ${lacking.map(({ words }) => words).join(' or ')}`
}
