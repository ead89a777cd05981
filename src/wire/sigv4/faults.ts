/** What AWS says when a signature is refused: S3 and EC2 have words of their own. */
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

/** Signed for a Region that does not exist, or for another one than the endpoint's. */
export function wrongRegion(service: string, presigned: boolean, region: string, expected: string): Fault {
  if (!signsLikeS3(service)) return refused('Credential should be scoped to a valid region.')
  const fault = misscoped(service, presigned, `the region '${region}' is wrong; expecting '${expected}'`)
  return new Fault(fault.code, fault.message, { ...fault.details, members: { Region: expected } })
}

/** Signed for another service than the endpoint's. */
export function misscoped(service: string, presigned: boolean, message: string): Fault {
  if (!signsLikeS3(service)) return refused(message)
  return presigned
    ? new Fault('AuthorizationQueryParametersError', `Error parsing the X-Amz-Credential parameter; ${message}`, {
        status: 400,
      })
    : new Fault('AuthorizationHeaderMalformed', `The authorization header is malformed; ${message}`, { status: 400 })
}

export function refused(message: string): Fault {
  return new Fault('SignatureDoesNotMatch', message, { status: 403 })
}

export function mismatch(service: string): Fault {
  return refused(
    signsLikeS3(service)
      ? 'The request signature we calculated does not match the signature you provided. Check your key and signing method.'
      : 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  )
}

/** Outside the window of a signed request. `message` is AWS's account of the two clocks. */
export function untimely(service: string, message: string): Fault {
  if (signsLikeS3(service)) {
    return new Fault(
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      {
        status: 403,
      },
    )
  }
  return service === 'ec2' ? new Fault('RequestExpired', 'Request has expired.', { status: 400 }) : refused(message)
}

export function forbidden(message: string): Fault {
  return new Fault('AccessDenied', message, { status: 403 })
}
