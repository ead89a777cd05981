/** Certificates that are issued here, checked by OpenSSL. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type X509Certificate } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { integer, objectId, time } from './der.ts'
import { addressOf, issueAuthority, issueServer } from './issue.ts'

const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const validity = {
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2051-01-01T00:00:00Z'),
  serial: Buffer.from('ff0102030405060708', 'hex'),
}

function authority(names: readonly string[]) {
  const { privateKey, publicKey } = keys()
  const certificate = issueAuthority({ commonName: 'Test CA', names, key: privateKey, publicKey, ...validity })
  return { certificate, key: privateKey }
}
const server = (names: readonly string[], signer: ReturnType<typeof authority>) =>
  issueServer({ commonName: 'server', names, publicKey: keys().publicKey, ...validity }, signer)

/** Returns what OpenSSL prints when it verifies the server's certificate. */
function verified(leaf: X509Certificate, root: X509Certificate): string {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-test-'))
  writeFileSync(join(folder, 'ca.pem'), root.toString())
  writeFileSync(join(folder, 'leaf.pem'), leaf.toString())
  const words = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'leaf.pem']
  try {
    return execFileSync('openssl', words, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    return (error as { stderr: string }).stderr
  }
}

describe('A server certificate', () => {
  const names = ['localhost', 'merlon.example', '127.0.0.1', '::1']
  const signer = authority(names)

  test('is valid under its authority for the names it has', () => {
    const leaf = server(names, signer)

    expect(verified(leaf, signer.certificate)).toBe('leaf.pem: OK\n')
    expect(leaf.checkIssued(signer.certificate)).toBe(true)
    expect([leaf.checkHost('merlon.example'), leaf.checkIP('::1'), leaf.checkHost('other.example')]).toEqual([
      'merlon.example',
      '::1',
      undefined,
    ])
    expect(leaf.ca).toBe(false)
    expect(signer.certificate.ca).toBe(true)
    expect(new Date(leaf.validTo)).toEqual(validity.notAfter)
  })

  test('for a name below a permitted one is valid', () => {
    expect(verified(server(['bucket.merlon.example'], signer), signer.certificate)).toBe('leaf.pem: OK\n')
  })

  test.each([['bank.example'], ['notmerlon.example'], ['10.0.0.1'], ['2001:db8::1']])(
    'for %s is not: the authority is limited to its names',
    (name) => {
      expect(verified(server([name], signer), signer.certificate)).toContain('permitted subtree violation')
    },
  )

  test('for an address is not valid where the authority has none', () => {
    const hostsOnly = authority(['localhost'])

    expect(verified(server(['localhost'], hostsOnly), hostsOnly.certificate)).toBe('leaf.pem: OK\n')
    expect(verified(server(['127.0.0.1'], hostsOnly), hostsOnly.certificate)).toContain('excluded subtree violation')
    expect(verified(server(['::1'], hostsOnly), hostsOnly.certificate)).toContain('excluded subtree violation')
  })
})

describe('DER', () => {
  test('writes numbers that are not negative, object identifiers and times', () => {
    expect(integer(Buffer.from([0, 0, 1])).toString('hex')).toBe('020101')
    expect(integer(Buffer.from([0x80])).toString('hex')).toBe('02020080')
    expect(integer(Buffer.from([0])).toString('hex')).toBe('020100')
    expect(objectId('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302')
    expect(time(new Date('2049-12-31T23:59:59Z')).toString('latin1')).toBe('\x17\x0d491231235959Z')
    expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1')).toBe('\x18\x0f20500101000000Z')
  })

  test.each([
    ['10.1.2.3', '0a010203'],
    ['::1', `${'00'.repeat(15)}01`],
    ['2001:db8::a:0', '20010db80000000000000000000a0000'],
    ['::ffff:10.1.2.3', `${'00'.repeat(10)}ffff0a010203`],
  ])('writes the address %s', (text, hex) => {
    expect(addressOf(text).toString('hex')).toBe(hex)
  })
})
