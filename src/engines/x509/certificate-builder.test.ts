/** Building and reading untrusted input: requests, status requests, DER of any kind. */
import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alternativeNamesIn, buildSigningRequest, parseSigningRequest } from './certificate-builder.ts'
import { integer, objectId } from './der.ts'
import { DerError, elements, only, readObjectId } from './der-read.ts'
import { extensionOids, subjectAltName } from './extensions.ts'
import { attributeOids, distinguishedName, readName } from './names.ts'
import { parseStatusRequest } from './revocation.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' })
const bySha256 = async (message: Buffer) => sign('sha256', message, pair.privateKey)
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
