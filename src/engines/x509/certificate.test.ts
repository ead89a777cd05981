/** Certificates in PEM: what is parsed and refused, and what a description contains. */
import { describe, expect, test } from 'vitest'
import { authority, crafted, leaf } from './certificate.fixture.ts'
import {
  CHAIN_LENGTH_MAX,
  describeCertificate,
  parseCertificate,
  parseChain,
  parsePrivateKey,
  X509Error,
} from './certificate.ts'

const problemOf = (parse: () => unknown): unknown => {
  try {
    parse()
  } catch (error) {
    if (error instanceof X509Error) return [error.problem, error.index]
    throw error
  }
  return undefined
}

test('a certificate is described by its names, dates, key and fingerprint', () => {
  expect(describeCertificate(parseCertificate(leaf))).toMatchObject({
    subject: 'CN=www.example.com',
    issuer: 'C=DE, O=Merlon\\, tests, CN=Test CA',
    serialNumber: '1179844C1B3857A67CE870FBB7B7D78544FF8F9F',
    dnsNames: ['www.example.com', '*.example.org'],
    keyType: 'rsa',
    keyBits: 2048,
    curve: undefined,
    isAuthority: false,
  })
  const described = describeCertificate(parseCertificate(authority))
  expect(described).toMatchObject({ keyType: 'ec', curve: 'prime256v1', isAuthority: true, dnsNames: [] })
  expect(described.endsMs).toBeGreaterThan(described.startsMs)
  expect(described.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
})

test('a name that contains what looks like another name is one name', () => {
  expect(describeCertificate(parseCertificate(crafted)).dnsNames).toEqual(['a.example'])
})

describe('refused', () => {
  test.each([
    ['nothing', ''],
    ['a word', 'hello'],
    ['two certificates', leaf + authority],
    ['text around it', `x${leaf}`],
    ['a block that is no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
  ])('%s, as a certificate', (_what, pem) => {
    expect(problemOf(() => parseCertificate(pem))).toEqual(['certificate', undefined])
  })

  test('a private key that is none', () => {
    expect(problemOf(() => parsePrivateKey(leaf))).toEqual(['private key', undefined])
  })
})

describe('a chain', () => {
  const certificate = parseCertificate(leaf)

  test('is the issuers in their order', () => {
    expect(parseChain(certificate, authority + authority)).toHaveLength(2)
  })

  test.each([
    ['without certificates', '', 'certificate chain', undefined],
    ['of another issuer', crafted, 'issuer', 0],
    ['that goes on with another issuer', authority + crafted, 'issuer', 1],
  ])('%s is refused', (_what, pem, problem, index) => {
    expect(problemOf(() => parseChain(certificate, pem))).toEqual([problem, index])
  })

  test('has a maximal length', () => {
    expect(parseChain(certificate, authority.repeat(CHAIN_LENGTH_MAX))).toHaveLength(CHAIN_LENGTH_MAX)
    expect(problemOf(() => parseChain(certificate, authority.repeat(CHAIN_LENGTH_MAX + 1)))).toEqual([
      'certificate chain',
      undefined,
    ])
  })
})
