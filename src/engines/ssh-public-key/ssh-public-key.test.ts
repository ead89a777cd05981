/** RSA public keys in OpenSSH's form and in PEM. */
import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { fingerprint, parsePublicKey, pem, SshKeyError, sshLine } from './ssh-public-key.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const spki = publicKey.export({ type: 'spki', format: 'pem' }) as string

test('both forms are the same key', () => {
  const blob = parsePublicKey(spki)
  expect(pem(blob)).toBe(spki)
  expect(parsePublicKey(`${sshLine(blob)} ana@laptop`).equals(blob)).toBe(true)
  expect(fingerprint(blob)).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/)
})

test.each([
  ['a word', 'hello', 'encoding'],
  ['another type of key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA', 'invalid'],
  ['a truncated key', 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ', 'invalid'],
  ['a private key', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 'invalid'],
  [
    '1024 bits',
    generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' }) as string,
    'weak',
  ],
])('%s is refused', (_what, text, problem) => {
  expect(() => parsePublicKey(text)).toThrow(SshKeyError)
  expect(() => parsePublicKey(text)).toThrow(expect.objectContaining({ problem }))
})
