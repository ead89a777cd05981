/** AWS's errors for a refused signature: S3 and EC2 have their own. */
import { Fault } from '../fault.ts'

/** Signing names that sign and fail the S3 way. */
const S3_NAMES: ReadonlySet<string> = new Set(['s3', 's3express', 's3-outposts', 's3-object-lambda'])

export function signsLikeS3(service: string): boolean {
  return S3_NAMES.has(service)
}

export function incomplete(message: string): Fault {
  return new Fault('IncompleteSignature', message, { status: 400 })
}

export function badParameters(service: string, message: string): Fault {
  return signsLikeS3(service)
    ? new Fault('AuthorizationQueryParametersError', message, { status: 400 })
    : incomplete(message)
}

type Members = Readonly<Record<string, string>>

/** Signed for a Region that does not exist, or for another one than the endpoint's. */
export function wrongRegion(service: string, presigned: boolean, region: string, expected: string): Fault {
  return signsLikeS3(service)
    ? misscoped(service, presigned, `the region '${region}' is wrong; expecting '${expected}'`, { Region: expected })
    : refused('Credential should be scoped to a valid region.')
}

/** Signed, but for another service or Region. */
export function misscoped(service: string, presigned: boolean, message: string, members: Members = {}): Fault {
  if (!signsLikeS3(service)) return refused(message)
  return presigned
    ? new Fault('AuthorizationQueryParametersError', `Error parsing the X-Amz-Credential parameter; ${message}`, {
        status: 400,
        members,
      })
    : new Fault('AuthorizationHeaderMalformed', `The authorization header is malformed; ${message}`, {
        status: 400,
        members,
      })
}

export function refused(message: string, members: Members = {}): Fault {
  return new Fault('SignatureDoesNotMatch', message, { status: 403, members })
}

/** S3 returns what it has signed itself, so that a client sees where the two differ. */
export function mismatch({ service, accessKeyId, signature }: Claim, toSign: string, canonical: string): Fault {
  if (!signsLikeS3(service))
    return refused(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    )
  return refused(
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    {
      AWSAccessKeyId: accessKeyId,
      StringToSign: toSign,
      SignatureProvided: signature.slice(0, SIGNATURE_SHOWN_MAX),
      StringToSignBytes: hexOf(toSign),
      CanonicalRequest: canonical,
      CanonicalRequestBytes: hexOf(canonical),
    },
  )
}

interface Claim {
  readonly service: string
  readonly accessKeyId: string
  readonly signature: string
}

const SIGNATURE_SHOWN_MAX = 256

/** Two digits a byte, a blank between bytes, as S3 writes it. */
const hexOf = (text: string): string =>
  Buffer.from(text, 'latin1')
    .toString('hex')
    .replace(/..(?!$)/g, '$& ')

/** The same for a chunk of a body, of which S3 returns nothing. */
export const chunkMismatch = (): Fault =>
  refused(
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  )

/** Outside the window of a signed request. `message` is AWS's account of the two clocks. */
export function untimely(service: string, message: string, members: Members = {}): Fault {
  if (signsLikeS3(service)) {
    return new Fault(
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      { status: 403, members },
    )
  }
  return service === 'ec2' ? new Fault('RequestExpired', 'Request has expired.', { status: 400 }) : refused(message)
}

export function forbidden(message: string, members: Members = {}): Fault {
  return new Fault('AccessDenied', message, { status: 403, members })
}

export function notSigned(service: string, names: readonly string[]): Fault {
  const sentence = 'There were headers present in the request which were not signed'
  return signsLikeS3(service)
    ? forbidden(sentence, { HeadersNotSigned: names.join(', ') })
    : forbidden(`${sentence}: ${names.join(', ')}`)
}
