/** Certificate signing requests: PEM, signed by their own key, which has to be strong enough. */
import { createPublicKey } from 'node:crypto'
import { derOf, parseSigningRequest, type SigningRequest } from '../../engines/x509/certificate-builder.ts'
import { pemBlocks } from '../../engines/x509/pem.ts'
import { pca } from './resources.ts'

const RSA_BITS_MIN = 2048
const CSR_BYTES_MAX = 32_768

const malformed = (message: string) => pca.fail('MalformedCSRException', message)

/** Throws `MalformedCSRException` for what is no such request. */
export async function readRequest(bytes: Uint8Array): Promise<SigningRequest> {
  const text = Buffer.from(bytes).toString('latin1')
  if (text.length > CSR_BYTES_MAX) throw malformed('The certificate signing request is too long.')
  const [block] = [...pemBlocks(text, 'CERTIFICATE REQUEST'), ...pemBlocks(text, 'NEW CERTIFICATE REQUEST')]
  if (!block) throw malformed('The certificate signing request is not PEM.')
  let request: SigningRequest
  try {
    request = await parseSigningRequest(derOf(block))
  } catch (error) {
    throw malformed(`The certificate signing request is not valid: ${(error as Error).message}`)
  }
  assertStrong(request.publicKey)
  return request
}

function assertStrong(publicKey: Buffer): void {
  let bits: { modulusLength?: number | undefined; publicExponent?: bigint | undefined } | undefined
  try {
    bits = createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).asymmetricKeyDetails
  } catch {
    // A key of a kind that Node does not know: ML-DSA.
    return
  }
  const { modulusLength, publicExponent } = bits ?? {}
  if (modulusLength !== undefined && modulusLength < RSA_BITS_MIN)
    throw malformed(`The key of the request has ${modulusLength} bits; RSA keys need ${RSA_BITS_MIN}.`)
  // CA/Browser Forum BR 6.1.6.
  if (publicExponent !== undefined && (publicExponent <= 65_536n || publicExponent % 2n === 0n))
    throw malformed('The public exponent of the request is not odd and above 65,536.')
}
