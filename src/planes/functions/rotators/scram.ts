/** What PostgreSQL keeps of a password, made here, so that the password itself is never sent. RFC 5803, RFC 7677. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

const SALT_BYTES = 16
const ITERATIONS = 4096

/** `SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER`. The password is ASCII, which SASLprep leaves as it is. */
export function scramVerifier(password: string, salt = randomBytes(SALT_BYTES), iterations = ITERATIONS): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const stored = createHash('sha256').update(hmac('Client Key')).digest()
  const server = hmac('Server Key')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored.toString('base64')}:${server.toString('base64')}`
}
