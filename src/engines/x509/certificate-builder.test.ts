/** Building and reading untrusted input: requests, status requests, DER of any kind. */
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  alternativeNamesIn,
  buildCertificate,
  buildSigningRequest,
  certificateParts,
  parseSigningRequest,
} from './certificate-builder.ts'
import { integer, objectId } from './der.ts'
import { DerError, elements, only, readObjectId } from './der-read.ts'
import {
  basicConstraints,
  extendedKeyUsage,
  extendedKeyUsages,
  extensionOids,
  keyUsage,
  subjectAltName,
} from './extensions.ts'
import { attributeOids, distinguishedName, readName } from './names.ts'
import { parseStatusRequest } from './revocation.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' })
const bySha256 = async (message: Buffer) => sign('sha256', message, pair.privateKey)
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/)
/** No domain of digits alone: that would be an address. */
const topLevel = fc.stringMatching(/^[a-z]{2,10}$/)
const dnsName = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 3 }), topLevel)
  .map(([labels, last]) => [...labels, last].join('.'))

/** Rules of RFC 5280 and of the CA/Browser Forum's baseline requirements, each true for every leaf. */
const RULES: Readonly<Record<string, (leaf: X509Certificate, names: readonly string[]) => boolean>> = {
  'BR 7.1: the serial is positive and has at least 64 bits of randomness': ({ serialNumber }) =>
    serialNumber.length >= 16 && Number.parseInt(serialNumber[0]!, 16) < 8,
  'RFC 5280 4.1.2.2: the serial has at most 20 bytes': ({ serialNumber }) => serialNumber.length <= 40,
  'RFC 5280 4.1.2.5: it begins before it ends': ({ validFrom, validTo }) => Date.parse(validFrom) < Date.parse(validTo),
  'BR 7.1.4.2.1: the common name is one of the alternative names': ({ subject, subjectAltName: all = '' }) =>
    all.includes(`DNS:${/CN=(.*)/.exec(subject)?.[1]}`),
  'RFC 5280 4.2.1.9: it is no authority': ({ ca }) => !ca,
  'BR 7.1.2.7.6: it is for servers': ({ keyUsage: usages }) => usages.includes(extendedKeyUsages.SERVER_AUTH),
  'RFC 5280 4.2.1.6: it has every name': (leaf, names) => names.every((name) => leaf.checkHost(name) !== undefined),
  'RFC 5280 4.1: each extension occurs once': ({ raw }) => {
    const { extensions } = certificateParts(raw)
    const tbs = elements(elements(only(raw, 0x30).content)[0]!.content)
    return extensions.size === elements(only(tbs.at(-1)!.content, 0x30).content).length
  },
}

describe('A leaf', () => {
  test('keeps to the rules, whatever names it has', async () => {
    const arbitrary = fc.record({
      names: fc.uniqueArray(dnsName, { minLength: 1, maxLength: 5 }),
      serial: fc.uint8Array({ minLength: 15, maxLength: 15 }),
      days: fc.integer({ min: 1, max: 398 }),
    })
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ names, serial, days }) => {
        const subject = distinguishedName([{ oid: attributeOids.CommonName, value: names[0]! }])
        const der = await buildCertificate(
          {
            serial: Buffer.concat([Buffer.of(0x40), serial]),
            issuer: subject,
            subject,
            publicKey,
            notBefore: new Date('2049-06-01'),
            notAfter: new Date(Date.parse('2049-06-01') + days * 86_400_000),
            algorithm: 'SHA256WITHECDSA',
            extensions: [
              basicConstraints(false),
              keyUsage('digitalSignature'),
              extendedKeyUsage(extendedKeyUsages.SERVER_AUTH),
              subjectAltName(names),
            ],
          },
          bySha256,
        )
        const leaf = new X509Certificate(der)
        expect(leaf.verify(pair.publicKey)).toBe(true)
        for (const [rule, isKept] of Object.entries(RULES)) expect(isKept(leaf, names), rule).toBe(true)
      }),
      { numRuns: Number(process.env['MERLON_LEAVES'] ?? 200) },
    )
  })
})

describe('A request', () => {
  test('is read back as it was built, and not when a byte is changed', async () => {
    const subject = distinguishedName([
      { oid: attributeOids.Country, value: 'DE' },
      { oid: attributeOids.CommonName, value: 'Käse' },
    ])
    const der = await buildSigningRequest(
      { subject, publicKey, extensions: [subjectAltName(['a.test', '10.0.0.1'])], algorithm: 'SHA256WITHECDSA' },
      bySha256,
    )

    const read = await parseSigningRequest(der)
    expect(read.subject.equals(subject)).toBe(true)
    expect(alternativeNamesIn(read)).toEqual({ dns: ['a.test'], others: 1 })
    expect(readName(read.subject).map(({ value }) => value)).toEqual(['DE', 'Käse'])
    await fc.assert(
      fc.asyncProperty(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const changed = Buffer.from(der)
        changed[at]! ^= by
        await expect(parseSigningRequest(changed)).rejects.toBeInstanceOf(Error)
      }),
      { numRuns: 100 },
    )
  })
})

describe('DER', () => {
  test('of any bytes is read or refused as such, and never read beyond its end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const der = Buffer.from(bytes)
        for (const read of [() => elements(der), () => parseStatusRequest(der), () => readName(der)]) {
          try {
            read()
          } catch (error) {
            expect(error).toBeInstanceOf(DerError)
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['a length that is too long', '3084ffffffff'],
    ['a length with a leading zero', '30810100'],
    ['an indefinite length', '3080'],
    ['a tag of several bytes', '1f0100'],
    ['nothing behind the tag', '30'],
  ])('with %s is refused', (_what, hex) => {
    expect(() => elements(Buffer.from(hex, 'hex'))).toThrow(DerError)
  })

  test('object identifiers and numbers are read as they are written', () => {
    for (const oid of ['1.2.840.113549.1.1.11', '2.5.29.17', '2.16.840.1.101.3.4.3.18'])
      expect(readObjectId(only(objectId(oid), 0x06))).toBe(oid)
    expect(only(integer(Buffer.from([0xff])), 0x02).content.toString('hex')).toBe('00ff')
    expect(extensionOids.subjectAltName).toBe('2.5.29.17')
  })
})
