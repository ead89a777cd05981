/**
 * The signatures before version 4, which some clients still use for S3 links: recognized, so that the error can say
 * what to do.
 */
import { Fault } from '../fault.ts'
import { type HttpRequest, header } from '../http.ts'

/** Only S3 still receives them. */
export function isVersion2(request: HttpRequest): boolean {
  return (
    /^AWS [^\s:]+:/.test(header(request, 'authorization') ?? '') ||
    (/(^|&)AWSAccessKeyId=/.test(request.query) && /(^|&)Signature=/.test(request.query))
  )
}

/** What AWS says of them for every bucket made since June 2020. */
export const version2Refused = (): Fault =>
  new Fault(
    'InvalidRequest',
    'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    { status: 400 },
  )
