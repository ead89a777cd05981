/** A SAML identity provider for tests. It signs and encrypts whatever a test passes to it. */
import { execFileSync } from 'node:child_process'
import { constants, createCipheriv, publicEncrypt, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignedXml } from 'xml-crypto'

export const ENTITY = 'https://idp.corp.test/saml'
const ATTRIBUTES = 'https://aws.amazon.com/SAML/Attributes/'
const DSIG = 'http://www.w3.org/2000/09/xmldsig#'

export interface Statement {
  readonly now: number
  readonly roles: readonly string[]
  readonly sessionName?: string | undefined
  readonly issuer?: string
  readonly audience?: string
  readonly recipient?: string
  readonly issuedAt?: number
  readonly notOnOrAfter?: number
  readonly nameId?: string
  readonly id?: string
  readonly status?: string
  readonly attributes?: Readonly<Record<string, readonly string[]>>
  readonly inResponseTo?: string
}

const iso = (ms: number) => new Date(ms).toISOString()

export function responseOf(statement: Statement): string {
  const { now, roles, sessionName = 'ann', issuer = ENTITY, id = `_${randomUUID()}` } = statement
  const { audience = 'urn:amazon:webservices', recipient = 'https://signin.aws.amazon.com/saml' } = statement
  const { issuedAt = now, notOnOrAfter = now + 300_000, nameId = 'ann@corp.test' } = statement
  const { status = 'urn:oasis:names:tc:SAML:2.0:status:Success' } = statement
  const attributes: Record<string, readonly string[]> = {
    [`${ATTRIBUTES}Role`]: roles,
    ...(sessionName === '' ? {} : { [`${ATTRIBUTES}RoleSessionName`]: [sessionName] }),
    ...statement.attributes,
  }
  const shown = Object.entries(attributes).map(
    ([name, values]) =>
      `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`,
  )
  return (
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r${randomUUID()}" Version="2.0" IssueInstant="${iso(issuedAt)}" Destination="${recipient}">` +
    `<saml:Issuer>${issuer}</saml:Issuer>` +
    `<samlp:Status><samlp:StatusCode Value="${status}"/></samlp:Status>` +
    `<saml:Assertion ID="${id}" Version="2.0" IssueInstant="${iso(issuedAt)}"><saml:Issuer>${issuer}</saml:Issuer>` +
    `<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">${nameId}</saml:NameID>` +
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${iso(notOnOrAfter)}" Recipient="${recipient}"${statement.inResponseTo ? ` InResponseTo="${statement.inResponseTo}"` : ''}/></saml:SubjectConfirmation></saml:Subject>` +
    `<saml:Conditions NotBefore="${iso(issuedAt - 1000)}" NotOnOrAfter="${iso(notOnOrAfter)}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
    `<saml:AttributeStatement>${shown.join('')}</saml:AttributeStatement></saml:Assertion></samlp:Response>`
  )
}

export interface Signing {
  readonly what?: 'Assertion' | 'Response'
  readonly signature?: string
  readonly digest?: string
  readonly transforms?: readonly string[]
}

export interface Idp {
  readonly metadata: string
  /** DER, base64. */
  readonly certificate: string
  readonly certificatePem: string
  readonly privateKeyPem: string
  sign(response: string, how?: Signing): string
}

/** With a key and certificate of its own. */
export function samlIdp(entity = ENTITY): Idp {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-idp-'))
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', '/CN=idp']
  execFileSync('openssl', [...words, '-keyout', keyFile, '-out', certificateFile], { stdio: 'ignore' })
  const privateKey = readFileSync(keyFile, 'utf8')
  const publicCert = readFileSync(certificateFile, 'utf8')
  rmSync(folder, { recursive: true })
  const der = publicCert.replace(/-----[^-]+-----|\s/g, '')
  return {
    certificate: der,
    certificatePem: publicCert,
    privateKeyPem: privateKey,
    metadata:
      `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entity}"><!-- ${'made for tests '.repeat(30)} -->` +
      `<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="${DSIG}"><X509Data><X509Certificate>${der}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
      `<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${entity}"/></IDPSSODescriptor></EntityDescriptor>`,
    sign(response, { what = 'Assertion', signature, digest, transforms } = {}) {
      const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
      const signed = new SignedXml({
        privateKey,
        publicCert,
        signatureAlgorithm: (signature ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256') as never,
        canonicalizationAlgorithm: exclusive,
      })
      signed.addReference({
        xpath: `//*[local-name(.)='${what}']`,
        transforms: [...(transforms ?? [`${DSIG}enveloped-signature`, exclusive])],
        digestAlgorithm: digest ?? 'http://www.w3.org/2001/04/xmlenc#sha256',
      })
      signed.computeSignature(response, {
        prefix: 'ds',
        location: { reference: `//*[local-name(.)='${what}']/*[local-name(.)='Issuer']`, action: 'after' },
      })
      return signed.getSignedXml()
    },
  }
}

export interface Encryption {
  /** Of the content. Default: AES-256-GCM. */
  readonly cipher?: 'aes128-gcm' | 'aes192-gcm' | 'aes256-gcm' | 'aes128-cbc' | 'aes256-cbc'
  /** Of the key. Default: RSA-OAEP with SHA-1, as most providers have it. */
  readonly transport?: 'oaep-sha1' | 'oaep-sha256' | 'rsa-1_5'
  /** Instead of the assertion in the response. */
  readonly plaintext?: string
}

/** The response with its assertion encrypted to a receiver's public key. Source: https://www.w3.org/TR/xmlenc-core1/ */
export function encryptedResponse(response: string, publicKey: string, how: Encryption = {}): string {
  const { cipher = 'aes256-gcm', transport = 'oaep-sha1' } = how
  const [assertion] = /<saml:Assertion .*<\/saml:Assertion>/s.exec(response)!
  const isGcm = cipher.endsWith('gcm')
  const key = randomBytes(Number(cipher.slice(3, 6)) / 8)
  const iv = randomBytes(isGcm ? 12 : 16)
  const encrypt = createCipheriv(cipher.replace('aes', 'aes-') as 'aes-256-gcm', key, iv)
  const bytes = Buffer.concat([encrypt.update(how.plaintext ?? assertion, 'utf8'), encrypt.final()])
  const content = Buffer.concat([iv, bytes, ...(isGcm ? [encrypt.getAuthTag()] : [])])
  const wrapped = publicEncrypt(
    transport === 'rsa-1_5'
      ? { key: publicKey, padding: constants.RSA_PKCS1_PADDING }
      : { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: transport.slice(5) },
    key,
  )
  const xenc = 'http://www.w3.org/2001/04/xmlenc#'
  const xenc11 = 'http://www.w3.org/2009/xmlenc11#'
  const method = {
    'oaep-sha1': `<xenc:EncryptionMethod Algorithm="${xenc}rsa-oaep-mgf1p"><ds:DigestMethod Algorithm="${DSIG}sha1"/></xenc:EncryptionMethod>`,
    'oaep-sha256': `<xenc:EncryptionMethod Algorithm="${xenc11}rsa-oaep"><ds:DigestMethod Algorithm="${xenc}sha256"/><xenc11:MGF xmlns:xenc11="${xenc11}" Algorithm="${xenc11}mgf1sha256"/></xenc:EncryptionMethod>`,
    'rsa-1_5': `<xenc:EncryptionMethod Algorithm="${xenc}rsa-1_5"/>`,
  }[transport]
  const value = (of: Buffer) =>
    `<xenc:CipherData><xenc:CipherValue>${of.toString('base64')}</xenc:CipherValue></xenc:CipherData>`
  return response.replace(
    assertion,
    () =>
      `<saml:EncryptedAssertion><xenc:EncryptedData xmlns:xenc="${xenc}" xmlns:ds="${DSIG}" Type="${xenc}Element">` +
      `<xenc:EncryptionMethod Algorithm="${isGcm ? xenc11 : xenc}${cipher}"/>` +
      `<ds:KeyInfo><xenc:EncryptedKey>${method}${value(wrapped)}</xenc:EncryptedKey></ds:KeyInfo>${value(content)}` +
      '</xenc:EncryptedData></saml:EncryptedAssertion>',
  )
}
