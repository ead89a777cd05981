/** Certificate signing requests for keys that are made here. */
import { sign as signBytes } from 'node:crypto'
import type { KeyAlgorithm } from '@aws-sdk/client-acm'
import { buildSigningRequest } from '../../engines/x509/certificate-builder.ts'
import { subjectAltName } from '../../engines/x509/extensions.ts'
import { attributeOids, distinguishedName } from '../../engines/x509/names.ts'
import type { KeyPair } from './private-keys.ts'

/** DER, signed by the key that it names. The first name is the common name, too. */
export function signingRequest(
  names: readonly string[],
  algorithm: KeyAlgorithm,
  { privateKey, publicKey }: KeyPair,
): Promise<Buffer> {
  return buildSigningRequest(
    {
      subject: distinguishedName([{ oid: attributeOids.CommonName, value: names[0]! }]),
      publicKey,
      extensions: [subjectAltName(names)],
      algorithm: algorithm.startsWith('RSA') ? 'SHA256WITHRSA' : 'SHA256WITHECDSA',
    },
    async (message) => signBytes('sha256', message, privateKey),
  )
}
