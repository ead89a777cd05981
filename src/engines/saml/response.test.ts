/** SAML responses: what is believed, what is refused, and that xmlsec1 agrees about the signatures. */
import { spawnSync } from 'node:child_process'
import { constants, createPrivateKey, privateDecrypt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { UnwrapKey } from './encryption.ts'
import {
  type Encryption,
  encryptedResponse,
  type Idp,
  responseOf,
  type Signing,
  type Statement,
  samlIdp,
} from './idp.fixture.ts'
import { SamlRefusal } from './refusal.ts'
import { decodedResponse, readSamlResponse, type SamlProvider } from './response.ts'

const NOW = Date.UTC(2030, 0, 2, 3, 4, 5)
const RECIPIENT = 'https://signin.aws.amazon.com/saml'

let idp: Idp
let attacker: Idp
let receiver: Idp
let folder: string
beforeAll(() => {
  idp = samlIdp()
  attacker = samlIdp()
  receiver = samlIdp()
  folder = mkdtempSync(join(tmpdir(), 'merlon-saml-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const unwrapWith =
  (pem: string): UnwrapKey =>
  (wrapped, oaepHash) => {
    const key = createPrivateKey(pem)
    try {
      return [privateDecrypt({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, wrapped)]
    } catch {
      return []
    }
  }

const provider = (more: Partial<SamlProvider> = {}): SamlProvider => ({
  entityId: 'https://idp.corp.test/saml',
  signingCertificates: [idp.certificate],
  validUntil: Number.POSITIVE_INFINITY,
  unwrap: unwrapWith(receiver.privateKeyPem),
  ...more,
})
const read = (response: string, more: Partial<SamlProvider> = {}) =>
  readSamlResponse(Buffer.from(response).toString('base64'), provider(more), {
    now: NOW,
    audience: 'urn:amazon:webservices',
    isRecipient: (url) => url === RECIPIENT,
  })
const statement = (more: Partial<Statement> = {}) => responseOf({ now: NOW, roles: ['r,p'], ...more })
const signed = (more: Partial<Statement> = {}, how: Signing = {}, by = idp) => by.sign(statement(more), how)
const kindOf = (response: string, more: Partial<SamlProvider> = {}): string => {
  try {
    return `accepted ${read(response, more).subject}`
  } catch (error) {
    if (error instanceof SamlRefusal) return error.kind
    throw error
  }
}

/**
 * Whether another implementation accepts a signature of the document: the first one, or the one that encloses the
 * reference to this element.
 */
function xmlsecAccepts(response: string, by = idp, of?: 'Response' | 'Assertion'): boolean {
  const [file, certificate] = [join(folder, 'response.xml'), join(folder, 'certificate.pem')]
  writeFileSync(file, response)
  writeFileSync(certificate, by.certificatePem)
  const ids = ['Response', 'Assertion'].flatMap((name) => [
    '--id-attr:ID',
    `urn:oasis:names:tc:SAML:2.0:${name === 'Response' ? 'protocol' : 'assertion'}:${name}`,
  ])
  const path = `/*[local-name()='Response']${of === 'Assertion' ? "/*[local-name()='Assertion']" : ''}`
  const node = of ? ['--node-xpath', `${path}/*[local-name()='Signature']`] : []
  const words = ['--verify', '--pubkey-cert-pem', certificate, ...node, ...ids, file]
  const { status, error } = spawnSync('xmlsec1', words)
  if (error) throw error
  return status === 0
}

/** The response with its assertion in the clear, by another implementation. */
function decryptedByXmlsec(response: string): string {
  const [file, privateKey] = [join(folder, 'encrypted.xml'), join(folder, 'key.pem')]
  writeFileSync(file, response)
  writeFileSync(privateKey, receiver.privateKeyPem)
  const { status, stdout, stderr } = spawnSync('xmlsec1', ['--decrypt', '--privkey-pem', privateKey, file])
  if (status !== 0) throw new Error(String(stderr))
  return String(stdout)
}

const assertionIn = (response: string) => /<saml:Assertion .*<\/saml:Assertion>/s.exec(response)![0]
const signatureIn = (text: string) => /<ds:Signature .*<\/ds:Signature>/s.exec(text)![0]
const withoutSignature = (text: string) => text.replace(/<ds:Signature .*<\/ds:Signature>/s, '')
const forged = (assertion: string) => assertion.replaceAll('ann@corp.test', 'root@corp.test')
const renamed = (element: string) => element.replace(/ ID="[^"]*"/, ' ID="_evil"')
const responseTag = (response: string) => /^<samlp:Response [^>]*>/.exec(response)![0]

/**
 * In these the first signature of the document is still a good one of the element that it refers to, and xmlsec1 says no
 * more. Which element is then read is what the attack is about.
 */
const GOOD_SIGNATURE = ['XSW3', 'XSW4', 'XSW5', 'a second response in the first']

/** XML signature wrapping in the numbering of Somorovsky et al., "On Breaking SAML" (2012). */
const WRAPPED: readonly (readonly [string, 'Response' | 'Assertion', (signed: string) => string])[] = [
  [
    'XSW1: the signed response inside the signature of a forged one',
    'Response',
    (r) => {
      const signature = signatureIn(r).replace('</ds:Signature>', `${r.replace(signatureIn(r), '')}</ds:Signature>`)
      return renamed(forged(r)).replace(signatureIn(r), signature)
    },
  ],
  [
    'XSW2: the signed response beside the signature of a forged one',
    'Response',
    (r) => renamed(forged(r)).replace(signatureIn(r), `${r.replace(signatureIn(r), '')}${signatureIn(r)}`),
  ],
  [
    'XSW3: a forged assertion before the signed one',
    'Assertion',
    (r) => r.replace('<saml:Assertion ', `${renamed(forged(withoutSignature(assertionIn(r))))}<saml:Assertion `),
  ],
  [
    'XSW4: the signed assertion inside the forged one',
    'Assertion',
    (r) =>
      r.replace(
        assertionIn(r),
        renamed(forged(withoutSignature(assertionIn(r)))).replace(
          '</saml:Assertion>',
          `${assertionIn(r)}</saml:Assertion>`,
        ),
      ),
  ],
  [
    'XSW5: the signed assertion at the end, its signature in the forged one',
    'Assertion',
    (r) =>
      r
        .replace(assertionIn(r), renamed(forged(assertionIn(r))))
        .replace('</samlp:Response>', `${withoutSignature(assertionIn(r))}</samlp:Response>`),
  ],
  [
    'XSW6: the signed assertion inside the signature of the forged one',
    'Assertion',
    (r) => {
      const signature = signatureIn(r).replace('</ds:Signature>', `${withoutSignature(assertionIn(r))}</ds:Signature>`)
      return r.replace(assertionIn(r), renamed(forged(assertionIn(r))).replace(signatureIn(r), signature))
    },
  ],
  [
    'XSW7: a forged assertion in an extension',
    'Assertion',
    (r) =>
      r.replace(
        '<saml:Assertion ',
        `<samlp:Extensions>${forged(withoutSignature(assertionIn(r)))}</samlp:Extensions><saml:Assertion `,
      ),
  ],
  [
    'XSW8: the signed assertion in an object of the forged one’s signature',
    'Assertion',
    (r) => {
      const object = `<ds:Object>${withoutSignature(assertionIn(r))}</ds:Object></ds:Signature>`
      const signature = signatureIn(r).replace('</ds:Signature>', object)
      return r.replace(assertionIn(r), renamed(forged(assertionIn(r))).replace(signatureIn(r), signature))
    },
  ],
  [
    'a forged assertion with the ID of the signed one',
    'Assertion',
    (r) => r.replace('<saml:Assertion ', `${forged(withoutSignature(assertionIn(r)))}<saml:Assertion `),
  ],
  ['a forged response around the signed assertion', 'Response', (r) => r.replace(signatureIn(r), '')],
  [
    'a second response in the first',
    'Assertion',
    (r) => `${responseTag(r).replace(/ ID="[^"]*"/, '')}${r}</samlp:Response>`,
  ],
]

describe('A signed response is believed, and xmlsec1 agrees', () => {
  const MORE = 'http://www.w3.org/2001/04/xmldsig-more#'
  test.each<[string, Signing]>([
    ['by its assertion', {}],
    ['by the response', { what: 'Response' }],
    ['with RSA and SHA-512', { signature: `${MORE}rsa-sha512`, digest: 'http://www.w3.org/2001/04/xmlenc#sha512' }],
  ])('%s', (_, how) => {
    const response = signed({}, how)

    expect(read(response).subject).toBe('ann@corp.test')
    expect(xmlsecAccepts(response)).toBe(true)
  })

  test('with both of its signatures', () => {
    const response = idp.sign(signed(), { what: 'Response' })

    expect(read(response).subject).toBe('ann@corp.test')
    expect(xmlsecAccepts(response, idp, 'Response')).toBe(true)
    expect(xmlsecAccepts(response, idp, 'Assertion')).toBe(true)
  })

  test('when the signature of the assertion is good and that of the response is not, it is refused', () => {
    const both = attacker.sign(signed(), { what: 'Response' })

    expect(kindOf(both)).toBe('signature')
    expect(xmlsecAccepts(both, idp, 'Response')).toBe(false)
    expect(xmlsecAccepts(both, idp, 'Assertion')).toBe(true)
  })
})

describe('Attacks are refused', () => {
  test.each(WRAPPED)('%s', (name, what, wrap) => {
    const response = signed({}, { what })
    const attack = wrap(response)

    expect(attack).not.toBe(response)
    expect(['signature', 'invalid']).toContain(kindOf(attack))
    expect(xmlsecAccepts(attack)).toBe(GOOD_SIGNATURE.includes(name.split(':')[0]!))
  })

  test.each<[string, () => string, 'xmlsec1 has no such rule'?]>([
    ['a removed signature', () => withoutSignature(signed())],
    ['a signature without a reference', () => signed().replace(/<ds:Reference .*<\/ds:Reference>/s, '')],
    ['an empty signature value', () => signed().replace(/<ds:SignatureValue>.*?</s, '<ds:SignatureValue><')],
    ['a signature by another key that brings its certificate', () => signed({}, {}, attacker)],
    ['a changed subject', () => forged(signed())],
    ['a changed attribute', () => signed().replace('r,p', 'admin,p')],
    [
      'SHA-1 in the signature',
      () => signed({}, { signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }),
      'xmlsec1 has no such rule',
    ],
    [
      'SHA-1 in the digest',
      () => signed({}, { digest: 'http://www.w3.org/2000/09/xmldsig#sha1' }),
      'xmlsec1 has no such rule',
    ],
    ['a document type', () => `<!DOCTYPE r [<!ENTITY a "b">]>${signed()}`, 'xmlsec1 has no such rule'],
    ['a document type behind a comment', () => `<!-- --><!DOCTYPE r>${signed()}`, 'xmlsec1 has no such rule'],
    [
      'a billion laughs',
      () => `<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>${signed()}`,
      'xmlsec1 has no such rule',
    ],
    ['a processing instruction', () => signed().replace('<saml:Subject>', '<?x y?><saml:Subject>')],
    [
      'HMAC with the certificate as its key',
      () => signed().replace('xmldsig-more#rsa-sha256', 'xmldsig-more#hmac-sha256'),
    ],
    [
      'an XPath transform',
      () =>
        signed(
          {},
          {
            transforms: [
              'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
              'http://www.w3.org/2001/10/xml-exc-c14n#',
            ],
          },
        ).replace('xmldsig#enveloped-signature', 'xmldsig#base64'),
    ],
  ])('%s', (_, make, rule) => {
    const response = make()
    expect(kindOf(response)).toBe('signature')
    expect(xmlsecAccepts(response)).toBe(rule !== undefined)
  })

  test('a comment that splits a value changes nothing', () => {
    const response = signed().replace('ann@corp.test</saml:NameID>', 'ann@corp.test<!-- -->.evil</saml:NameID>')
    const harmless = signed().replace('ann@corp.test</saml:NameID>', 'ann<!-- -->@corp.test</saml:NameID>')

    expect(kindOf(response)).toBe('signature')
    expect(xmlsecAccepts(response)).toBe(false)
    expect(kindOf(harmless)).toBe('accepted ann@corp.test')
    expect(xmlsecAccepts(harmless)).toBe(true)
  })

  test.each<[string, Partial<Statement>, string]>([
    ['issued too long ago', { issuedAt: NOW - 6 * 60_000 }, 'expired'],
    ['issued in the future', { issuedAt: NOW + 6 * 60_000 }, 'invalid'],
    ['expired', { notOnOrAfter: NOW - 1 }, 'expired'],
    ['for another audience', { audience: 'urn:other' }, 'invalid'],
    ['for another recipient', { recipient: 'https://evil.test/saml' }, 'invalid'],
    ['of another issuer', { issuer: 'https://evil.test' }, 'invalid'],
    ['of a failed sign-in', { status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }, 'rejected'],
  ])('a response %s', (_, more, kind) => {
    const response = signed(more)
    expect(kindOf(response)).toBe(kind)
    // The signature is good: what it signs is refused.
    expect(xmlsecAccepts(response)).toBe(true)
  })

  test('a response of a provider whose metadata has ended', () => {
    expect(kindOf(signed(), { validUntil: NOW })).toBe('invalid')
  })

  test('what is no response at all', () => {
    expect(kindOf('hello')).toBe('signature')
    expect(kindOf('<a xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>')).toBe('signature')
    expect(() => readSamlResponse('!', provider(), { now: NOW, audience: '', isRecipient: () => true })).toThrow(
      SamlRefusal,
    )
  })
})

describe('An encrypted assertion', () => {
  const encrypted = (how: Encryption = {}, response = signed()) =>
    encryptedResponse(response, receiver.certificatePem, how)

  test.each<[string, Encryption]>([
    ['AES-128-GCM', { cipher: 'aes128-gcm' }],
    ['AES-192-GCM', { cipher: 'aes192-gcm' }],
    ['AES-256-GCM', {}],
    ['RSA-OAEP with SHA-256', { transport: 'oaep-sha256' }],
  ])('is read: %s', (_, how) => {
    const response = encrypted(how)
    expect(read(response).subject).toBe('ann@corp.test')
    // xmlsec1 1.2 does not know OAEP of XML Encryption 1.1.
    if (how.transport === undefined) expect(xmlsecAccepts(decryptedByXmlsec(response))).toBe(true)
  })

  test('in CBC is read only when the response is signed over it', () => {
    const cbc = encrypted({ cipher: 'aes256-cbc' })

    expect(kindOf(cbc)).toBe('signature')
    expect(kindOf(idp.sign(cbc, { what: 'Response' }))).toBe('accepted ann@corp.test')
    expect(xmlsecAccepts(idp.sign(cbc, { what: 'Response' }), idp, 'Response')).toBe(true)
    const stranger = attacker.sign(cbc, { what: 'Response' })
    expect(kindOf(stranger)).toBe('signature')
    expect(xmlsecAccepts(stranger, idp, 'Response')).toBe(false)
  })

  test('needs a signature, inside or around', () => {
    const unsigned = encrypted({}, statement())

    expect(kindOf(unsigned)).toBe('signature')
    expect(kindOf(idp.sign(unsigned, { what: 'Response' }))).toBe('accepted ann@corp.test')
  })

  test.each<[string, () => string]>([
    ['PKCS #1 v1.5, which has an oracle', () => encrypted({ transport: 'rsa-1_5' })],
    ['another receiver', () => encryptedResponse(signed(), attacker.certificatePem)],
    ['two assertions in one', () => encrypted({ plaintext: assertionIn(signed()) + assertionIn(signed()) })],
    ['another element', () => encrypted({ plaintext: '<a/>' })],
    ['an assertion that is encrypted again', () => encrypted({ plaintext: '<saml:EncryptedAssertion/>' })],
    ['text that closes the response around it', () => encrypted({ plaintext: '</response:Response><a/>' })],
    [
      'a forged assertion without a signature',
      () => encrypted({ plaintext: forged(withoutSignature(assertionIn(signed()))) }),
    ],
    [
      'a forged assertion beside a signed one',
      () => encrypted({ plaintext: renamed(forged(withoutSignature(assertionIn(signed())))) + assertionIn(signed()) }),
    ],
  ])('is refused: %s', (_, response) => {
    expect(kindOf(response())).toBe('signature')
  })

  test('is refused with one text, whichever step of decryption failed', () => {
    const damaged = encrypted().replace(
      /(<xenc:CipherValue>)(.{8})([^<]*)(<\/xenc:CipherValue><\/xenc:CipherData><\/xenc:EncryptedData>)/s,
      (_, a, b, c, d) => a + b.split('').reverse().join('') + c + d,
    )
    const foreign = encryptedResponse(signed(), attacker.certificatePem)
    const message = (response: string) => {
      try {
        read(response)
        return 'accepted'
      } catch (error) {
        return (error as Error).message
      }
    }

    expect(message(damaged)).toBe('the assertion cannot be decrypted with the private keys of the provider')
    expect(message(foreign)).toBe(message(damaged))
  })

  test('is required where the provider requires it, and refused where it has no key', () => {
    expect(kindOf(signed(), { encryption: 'Required' })).toBe('invalid')
    expect(kindOf(encrypted(), { encryption: 'Required' })).toBe('accepted ann@corp.test')
    expect(kindOf(encrypted(), { unwrap: undefined })).toBe('signature')
  })
})

test('a response of blanks costs its length', () => {
  // Blanks that a pattern can divide in many ways held the server up for a minute.
  const blanks = `${' '.repeat(99_990)}!`
  expect(() => decodedResponse(blanks)).toThrow('Invalid base64')
})
