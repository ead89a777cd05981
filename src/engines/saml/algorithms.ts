/**
 * The signature and digest algorithms that SAML responses may use: SHA-2 with RSA or ECDSA. SHA-1 is not among them.
 * Source: https://www.w3.org/TR/xmldsig-core1/ §6, RFC 6931
 */
import { createHash, createVerify } from 'node:crypto'

const MORE = 'http://www.w3.org/2001/04/xmldsig-more#'

/** Node's name of the hash, by the algorithm of the signature. */
const SIGNATURE_HASHES: Readonly<Record<string, string>> = {
  [`${MORE}rsa-sha256`]: 'sha256',
  [`${MORE}rsa-sha384`]: 'sha384',
  [`${MORE}rsa-sha512`]: 'sha512',
  [`${MORE}ecdsa-sha256`]: 'sha256',
  [`${MORE}ecdsa-sha384`]: 'sha384',
  [`${MORE}ecdsa-sha512`]: 'sha512',
}

const DIGEST_HASHES: Readonly<Record<string, string>> = {
  'http://www.w3.org/2001/04/xmlenc#sha256': 'sha256',
  [`${MORE}sha384`]: 'sha384',
  'http://www.w3.org/2001/04/xmlenc#sha512': 'sha512',
}

/** Node's name of the hash; undefined for algorithms that are not accepted. */
export const hashOfSignature = (uri: string): string | undefined =>
  Object.hasOwn(SIGNATURE_HASHES, uri) ? SIGNATURE_HASHES[uri] : undefined

export const isSignatureAlgorithm = (uri: string): boolean => Object.hasOwn(SIGNATURE_HASHES, uri)
export const isDigestAlgorithm = (uri: string): boolean => Object.hasOwn(DIGEST_HASHES, uri)

/** Exclusive canonicalization, with and without comments. Source: https://www.w3.org/TR/xml-exc-c14n/ */
export const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
export const isCanonicalization = (uri: string): boolean => uri === EXCLUSIVE || uri === `${EXCLUSIVE}WithComments`

/** As the signature library registers algorithms: constructors by URI. */
export const signatureAlgorithms = Object.fromEntries(
  Object.entries(SIGNATURE_HASHES).map(([uri, hash]) => [
    uri,
    class {
      getAlgorithmName = () => uri
      getSignature = (): never => {
        throw new Error('Responses are verified here, not signed.')
      }
      verifySignature = (material: string, key: string, value: string): boolean => {
        const verify = createVerify(hash).update(material)
        // XML signatures by ECDSA are two integers beside each other, not DER.
        return uri.includes('ecdsa')
          ? verify.verify({ key, dsaEncoding: 'ieee-p1363' }, value, 'base64')
          : verify.verify(key, value, 'base64')
      }
    },
  ]),
)

export const digestAlgorithms = Object.fromEntries(
  Object.entries(DIGEST_HASHES).map(([uri, hash]) => [
    uri,
    class {
      getAlgorithmName = () => uri
      getHash = (xml: string): string => createHash(hash).update(xml, 'utf8').digest('base64')
    },
  ]),
)
