/** The reader of SAML metadata: what it finds, and what it will not read. */
import { describe, expect, test } from 'vitest'
import { certificate } from '../../services/iam/credentials/certificates.fixture.ts'
import { MetadataError, parseSamlMetadata } from './metadata.ts'

const der = certificate.replace(/-----[^-]+-----|\s/g, '')
const key = (use: string) =>
  `<md:KeyDescriptor${use}><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>` +
  `<ds:X509Certificate>\n${der}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
const metadata = (keys: string, attributes = 'entityID="https://idp.example/a&amp;b"') =>
  `<?xml version="1.0"?><!-- ours --><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ${attributes}>` +
  `<md:IDPSSODescriptor>${keys}</md:IDPSSODescriptor></md:EntityDescriptor>`

describe('metadata that can be read', () => {
  test('names its provider and the certificates that sign', () => {
    const found = parseSamlMetadata(metadata(key(' use="signing"') + key('') + key(" use='encryption'")))

    expect(found).toEqual({ entityId: 'https://idp.example/a&b', signingCertificates: [der, der] })
  })

  test('says until when it holds', () => {
    const found = parseSamlMetadata(metadata(key(''), 'entityID="x" validUntil="2030-01-02T03:04:05Z"'))

    expect(found.validUntil).toBe(Date.UTC(2030, 0, 2, 3, 4, 5))
  })
})

describe('metadata that is refused', () => {
  const good = metadata(key(''))
  test.each([
    ['no XML', 'hello'],
    ['an open tag', good.slice(0, -4)],
    [
      'tags that cross',
      good.replace('</md:IDPSSODescriptor></md:EntityDescriptor>', '</md:EntityDescriptor></md:IDPSSODescriptor>'),
    ],
    [
      'a document type, and with it entities of its own',
      good.replace('<!-- ours -->', '<!DOCTYPE a [<!ENTITY b "c">]>'),
    ],
    ['an unknown entity', good.replace('&amp;', '&b;')],
    ['an ampersand alone', good.replace('&amp;', '&')],
    ['an attribute said twice', metadata(key(''), 'entityID="a" entityID="b"')],
    ['an unknown prefix', good.replace('xmlns:md=', 'xmlns:me=')],
    ['another namespace', good.replace('SAML:2.0:metadata', 'SAML:1.1:metadata')],
    ['two roots', good + good.slice(good.indexOf('<md:'))],
    ['text behind the root', `${good}x`],
    ['no entityID', metadata(key(''), '')],
    ['no signing certificate', metadata(key(' use="encryption"'))],
    ['a certificate that is none', good.replace(der.slice(0, 40), 'AAAA')],
    ['an end that is no date', metadata(key(''), 'entityID="a" validUntil="soon"')],
    ['elements too deep', metadata('<md:a>'.repeat(100) + '</md:a>'.repeat(100) + key(''))],
  ])('%s', (_what, document) => {
    expect(() => parseSamlMetadata(document)).toThrow(MetadataError)
  })

  test.each([
    ['attributes without end', `<a ${'b="c" '.repeat(200_000)}`],
    ['an endless comment', `<!--${'x-'.repeat(1_000_000)}`],
    ['an endless tag', `<a${' '.repeat(1_000_000)}`],
    ['ampersands without end', `<a>${'&'.repeat(1_000_000)}</a>`],
  ])('however long: %s', (_what, document) => {
    expect(() => parseSamlMetadata(document)).toThrow(MetadataError)
  })
})
