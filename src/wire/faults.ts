/** How each protocol spells the errors that no model lists, and what status they carry. */
import type { Protocol, ServiceRow } from './services.ts'

/** How a family of services speaks of common errors. */
type Family = 'query' | 'json' | 'rest' | 's3' | 'ec2'

type Spelling = readonly [code: string, status: number]

/**
 * Neutral code (awsQuery's spelling) → what each family says.
 * Measured on AWS where the specification of authentication errors says so.
 */
// biome-ignore format: a matrix is read in columns
const common: Readonly<Record<string, Readonly<Record<Family, Spelling>>>> = {
  //                           query                                json                                            rest                                            s3                                   ec2
  AccessDenied:               { query: ['AccessDenied', 403],               json: ['AccessDeniedException', 400],               rest: ['AccessDeniedException', 403],               s3: ['AccessDenied', 403],              ec2: ['UnauthorizedOperation', 403] },
  InvalidClientTokenId:       { query: ['InvalidClientTokenId', 403],       json: ['UnrecognizedClientException', 400],         rest: ['UnrecognizedClientException', 403],         s3: ['InvalidAccessKeyId', 403],        ec2: ['AuthFailure', 401] },
  SignatureDoesNotMatch:      { query: ['SignatureDoesNotMatch', 403],      json: ['InvalidSignatureException', 400],           rest: ['InvalidSignatureException', 403],           s3: ['SignatureDoesNotMatch', 403],     ec2: ['AuthFailure', 401] },
  MissingAuthenticationToken: { query: ['MissingAuthenticationToken', 403], json: ['MissingAuthenticationTokenException', 400], rest: ['MissingAuthenticationTokenException', 403], s3: ['AccessDenied', 403],              ec2: ['AuthFailure', 401] },
  IncompleteSignature:        { query: ['IncompleteSignature', 400],        json: ['IncompleteSignatureException', 400],        rest: ['IncompleteSignatureException', 403],        s3: ['AuthorizationHeaderMalformed', 400], ec2: ['AuthFailure', 401] },
  ExpiredToken:               { query: ['ExpiredToken', 403],               json: ['ExpiredTokenException', 400],               rest: ['ExpiredTokenException', 403],               s3: ['ExpiredToken', 400],              ec2: ['RequestExpired', 400] },
  Throttling:                 { query: ['Throttling', 400],                 json: ['ThrottlingException', 400],                 rest: ['ThrottlingException', 429],                 s3: ['SlowDown', 503],                  ec2: ['RequestLimitExceeded', 503] },
  ValidationError:            { query: ['ValidationError', 400],            json: ['ValidationException', 400],                 rest: ['ValidationException', 400],                 s3: ['InvalidArgument', 400],           ec2: ['InvalidParameterValue', 400] },
  OptInRequired:              { query: ['OptInRequired', 403],              json: ['OptInRequired', 400],                       rest: ['OptInRequired', 403],                       s3: ['NotSignedUp', 403],               ec2: ['OptInRequired', 401] },
  RequestExpired:             { query: ['RequestExpired', 400],             json: ['RequestExpired', 400],                      rest: ['RequestExpired', 400],                      s3: ['RequestTimeTooSkewed', 403],      ec2: ['RequestExpired', 400] },
  MalformedQueryString:       { query: ['MalformedQueryString', 400],       json: ['MalformedQueryString', 400],                rest: ['MalformedQueryString', 400],                s3: ['InvalidURI', 400],                ec2: ['InvalidQueryParameter', 400] },
  InternalFailure:            { query: ['InternalFailure', 500],            json: ['InternalFailure', 500],                     rest: ['InternalFailure', 500],                     s3: ['InternalError', 500],             ec2: ['InternalError', 500] },
  ServiceUnavailable:         { query: ['ServiceUnavailable', 503],         json: ['ServiceUnavailableException', 503],         rest: ['ServiceUnavailableException', 503],         s3: ['ServiceUnavailable', 503],        ec2: ['Unavailable', 503] },
  UnknownOperation:           { query: ['InvalidAction', 400],              json: ['UnknownOperationException', 400],           rest: ['UnknownOperationException', 404],           s3: ['MethodNotAllowed', 405],          ec2: ['InvalidAction', 400] },
  SerializationException:     { query: ['MalformedInput', 400],             json: ['SerializationException', 400],              rest: ['SerializationException', 400],              s3: ['MalformedXML', 400],              ec2: ['InvalidParameterValue', 400] },
  RequestEntityTooLarge:      { query: ['RequestEntityTooLarge', 413],      json: ['RequestEntityTooLargeException', 413],      rest: ['RequestEntityTooLargeException', 413],      s3: ['EntityTooLarge', 400],            ec2: ['RequestEntityTooLarge', 413] },
}

export function familyOf(protocol: Protocol, service: ServiceRow | undefined): Family {
  if (service?.id === 's3') return 's3'
  switch (protocol) {
    case 'ec2':
      return 'ec2'
    case 'query':
    case 'restxml':
      return 'query'
    case 'restjson':
      return 'rest'
    default:
      return 'json'
  }
}

/** undefined for a code that is the same everywhere. A service may have its own word for bad input, and for too many calls. */
export function spellingOf(code: string, family: Family, service: ServiceRow | undefined): Spelling | undefined {
  if (code === 'ValidationError' && service) return [service.validationCode, 400]
  if (code === 'Throttling' && service?.throttlingCode) return [service.throttlingCode, common[code]![family][1]]
  return Object.hasOwn(common, code) ? common[code]![family] : undefined
}
