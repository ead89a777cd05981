/** Responses that are issued here, as a receiver reads them: the signatures, the claims, and what a person could smuggle in. */
import { createSign } from 'node:crypto'
import { expect, test } from 'vitest'
import { samlIdp } from './idp.fixture.ts'
import { type AssertionRequest, issueRefusal, issueResponse } from './issue.ts'
import { readSamlResponse } from './response.ts'

const idp = samlIdp()
const signer = {
  certificate: idp.certificate,
  sign: async (message: Uint8Array) => createSign('sha256').update(message).sign(idp.privateKeyPem),
}
const NOW = Date.UTC(2026, 0, 1)
const ACS = 'https://app.corp.test/acs'
const request: AssertionRequest = {
  id: '_r1',
  assertionId: '_a1',
  issuer: 'https://merlon.test/start/saml/ssoins-1/apl-1',
  destination: ACS,
  audience: 'urn:app',
  inResponseTo: '_q1',
  now: NOW,
  subject: { value: 'ana@corp.test', format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress' },
  attributes: [],
  session: { index: '_s1', authenticatedAt: NOW - 1000, endsAt: NOW + 3_600_000, context: 'urn:context' },
}
const read = (xml: string, more: object = {}) =>
  readSamlResponse(
    Buffer.from(xml).toString('base64'),
    { entityId: request.issuer, signingCertificates: [idp.certificate], validUntil: Number.POSITIVE_INFINITY },
    { now: NOW, audience: 'urn:app', isRecipient: (url) => url === ACS, ...more },
  )

test('A response is read as it was issued, whatever characters its values have', async () => {
  const odd = ['a&b<c>"d\'e', 'line\nbreak\ttab\rreturn', 'ümlaut 漢字 🙂', ' spaces ', ']]>', '<!-- x -->']
  const values = [...odd, `\u0000\uD800\uFFFE`]
  const xml = await issueResponse({ ...request, attributes: [{ name: 'odd"<&>', format: 'urn:f', values }] }, signer)

  const identity = read(xml)

  expect(identity).toMatchObject({ id: '_a1', subject: 'ana@corp.test', recipient: ACS, inResponseTo: '_q1' })
  expect(identity.attributes.get('odd"<&>')).toEqual([...odd.map((each) => each.trim()), '\uFFFD\uFFFD\uFFFD'])
})

test('Neither part can be changed, and the assertion alone is signed, too', async () => {
  const xml = await issueResponse(request, signer)
  const [assertion] = /<saml:Assertion .*<\/saml:Assertion>/s.exec(xml)!
  const alone = xml.replace(/<ds:Signature [\s\S]*?<\/ds:Signature>/, '').replace(/ID="_r1"/, 'ID="_other"')
  expect(alone).toContain(assertion)

  expect(read(alone).subject).toBe('ana@corp.test')
  expect(() => read(xml.replace('ana@corp.test', 'bob@corp.test'))).toThrow('does not match')
  expect(() => read(xml.replace(`Destination="${ACS}"`, 'Destination="https://evil.test"'))).toThrow('does not match')
  expect(() => read(xml, { audience: 'urn:other' })).toThrow('audience')
  expect(() => read(xml, { now: NOW + 300_000 })).toThrow('expired')
})

test('A refusal has no assertion', async () => {
  const { id, issuer, destination, inResponseTo, now } = request
  const codes = ['urn:responder', 'urn:no-passive'] as const
  const xml = await issueRefusal({ id, issuer, destination, inResponseTo, now, codes, message: 'No & none' }, signer)

  expect(xml).toContain('<samlp:StatusCode Value="urn:responder"><samlp:StatusCode Value="urn:no-passive">')
  expect(xml).toContain('No &amp; none')
  expect(() => read(xml)).toThrow('not exactly one assertion')
})
