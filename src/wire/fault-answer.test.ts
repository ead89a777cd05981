/** How a refusal looks in each protocol. Codes and statuses: AWS's documentation of common errors. */
import { describe, expect, it } from 'vitest'
import { Fault } from './fault.ts'
import type { HttpRequest } from './http.ts'
import { serviceById } from './services.ts'
import { encodeFault, loadService } from './wire.ts'

const request: HttpRequest = {
  method: 'POST',
  path: '/',
  query: '',
  rawHeaders: [],
  body: Buffer.alloc(0),
  remoteAddress: '',
  secure: false,
}

async function answer(service: string, fault: Fault) {
  const row = serviceById.get(service)!
  const detected = { service: row, protocol: row.protocol, operation: 'Any' }
  return encodeFault(request, detected, await loadService(row), fault, 'the-id')
}

/** The code as a client of the protocol reads it. */
function codeOf({ body, headers }: { body: string | Uint8Array; headers: Readonly<Record<string, string>> }): string {
  const text = String(body)
  return headers['x-amzn-errortype'] ?? /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? JSON.parse(text).__type
}

// biome-ignore format: a matrix is read in columns
const matrix: Readonly<Record<string, Readonly<Record<string, readonly [code: string, status: number]>>>> = {
  //                           iam                                    kms                                              guardduty                                        s3                                 ec2
  AccessDenied:               { iam: ['AccessDenied', 403],               kms: ['AccessDeniedException', 400],               guardduty: ['AccessDeniedException', 403],               s3: ['AccessDenied', 403],          ec2: ['UnauthorizedOperation', 403] },
  InvalidClientTokenId:       { iam: ['InvalidClientTokenId', 403],       kms: ['UnrecognizedClientException', 400],         guardduty: ['UnrecognizedClientException', 403],         s3: ['InvalidAccessKeyId', 403],    ec2: ['AuthFailure', 401] },
  SignatureDoesNotMatch:      { iam: ['SignatureDoesNotMatch', 403],      kms: ['InvalidSignatureException', 400],           guardduty: ['InvalidSignatureException', 403],           s3: ['SignatureDoesNotMatch', 403], ec2: ['AuthFailure', 401] },
  MissingAuthenticationToken: { iam: ['MissingAuthenticationToken', 403], kms: ['MissingAuthenticationTokenException', 400], guardduty: ['MissingAuthenticationTokenException', 403], s3: ['AccessDenied', 403],          ec2: ['AuthFailure', 401] },
  ExpiredToken:               { iam: ['ExpiredToken', 403],               kms: ['ExpiredTokenException', 400],               guardduty: ['ExpiredTokenException', 403],               s3: ['ExpiredToken', 400],          ec2: ['RequestExpired', 400] },
  Throttling:                 { iam: ['Throttling', 400],                 kms: ['ThrottlingException', 400],                 guardduty: ['ThrottlingException', 429],                 s3: ['SlowDown', 503],              ec2: ['RequestLimitExceeded', 503] },
  ServiceUnavailable:         { iam: ['ServiceUnavailable', 503],         kms: ['ServiceUnavailableException', 503],         guardduty: ['ServiceUnavailableException', 503],         s3: ['ServiceUnavailable', 503],    ec2: ['Unavailable', 503] },
  ValidationError:            { iam: ['ValidationError', 400],            kms: ['ValidationException', 400],                 guardduty: ['BadRequestException', 400],                 s3: ['InvalidArgument', 400],       ec2: ['InvalidParameterValue', 400] },
  UnknownOperation:           { iam: ['InvalidAction', 400],              kms: ['UnknownOperationException', 400],           guardduty: ['UnknownOperationException', 404],           s3: ['MethodNotAllowed', 405],      ec2: ['InvalidAction', 400] },
  SerializationException:     { iam: ['MalformedInput', 400],             kms: ['SerializationException', 400],              guardduty: ['SerializationException', 400],              s3: ['MalformedXML', 400],          ec2: ['InvalidParameterValue', 400] },
  InternalFailure:            { iam: ['InternalFailure', 500],            kms: ['InternalFailure', 500],                     guardduty: ['InternalFailure', 500],                     s3: ['InternalError', 500],         ec2: ['InternalError', 500] },
}

describe('a common fault is spelled as the service spells it', () => {
  for (const [neutral, services] of Object.entries(matrix)) {
    for (const [service, [code, status]] of Object.entries(services)) {
      it(`${neutral} from ${service} is ${code} with ${status}`, async () => {
        const response = await answer(service, new Fault(neutral, 'told'))

        expect([codeOf(response), response.status]).toEqual([code, status])
        expect(String(response.body)).toContain('told')
      })
    }
  }
})

it.each(['iam', 'ec2', 'kms', 'guardduty', 'route53', 's3'])(
  'what is not built says so by name, with a 4xx, from %s',
  async (service) => {
    const response = await answer(
      service,
      new Fault('NotImplemented', 'Merlon does not implement x:Y.', { status: 400 }),
    )

    expect([codeOf(response), response.status]).toEqual(['NotImplemented', 400])
    expect(String(response.body)).toContain('Merlon does not implement x:Y.')
  },
)

it('a modelled error goes by the code of its protocol: query has its own', async () => {
  const { status, body } = await answer('iam', new Fault('NoSuchEntityException', 'gone'))

  expect(status).toBe(404)
  expect(body).toContain('<Type>Sender</Type><Code>NoSuchEntity</Code><Message>gone</Message>')
  expect(body).toContain('<RequestId>the-id</RequestId>')
})

it('awsJson answers a missing resource with 400, whatever the model says', async () => {
  expect((await answer('kms', new Fault('NotFoundException', 'gone'))).status).toBe(400)
})

it('REST honours the status of the model', async () => {
  expect(
    (
      await answer(
        'accessanalyzer',
        new Fault('ResourceNotFoundException', 'gone', { members: { resourceId: 'a', resourceType: 'b' } }),
      )
    ).status,
  ).toBe(404)
})

it('members of the error travel with it', async () => {
  const fault = new Fault('WAFInvalidParameterException', 'no', { members: { Field: 'IP_ADDRESS', Parameter: 'p' } })

  expect(JSON.parse(String((await answer('wafv2', fault)).body))).toMatchObject({
    Field: 'IP_ADDRESS',
    Parameter: 'p',
    __type: 'WAFInvalidParameterException',
  })
})

it.each(['lambda', 'organizations', 'cognito-idp', 'cognito-identity', 'sso'])(
  '%s has its own word for too many calls',
  async (service) => {
    expect(codeOf(await answer(service, new Fault('Throttling', 'told')))).toBe('TooManyRequestsException')
  },
)

it('when to retry is sent in both ways that clients read, the finer one first', async () => {
  const { headers } = await answer('kms', new Fault('Throttling', 'told', { retryAfterMs: 1200.5 }))

  expect([headers['x-amz-retry-after'], headers['retry-after']]).toEqual(['1201', '2'])
  expect(Object.keys(headers).indexOf('x-amz-retry-after')).toBeLessThan(Object.keys(headers).indexOf('retry-after'))
})

it('markup in a message stays text', async () => {
  expect((await answer('iam', new Fault('AccessDenied', '<b>&"'))).body).toContain('<Message>&lt;b&gt;&amp;')
})

it.each([
  [['X-Amz-Target', 'Nothing.Here'], 'application/x-amz-json-1.1'],
  [['Content-Type', 'application/x-www-form-urlencoded'], 'text/xml'],
  [[], 'application/json'],
])('before the service is known, the answer follows the look of the request (%j)', (rawHeaders, contentType) => {
  const response = encodeFault(
    { ...request, rawHeaders },
    undefined,
    undefined,
    new Fault('UnknownOperation', 'what?'),
    'the-id',
  )

  expect(response.headers['content-type']).toBe(contentType)
  expect(response.status).toBeGreaterThanOrEqual(400)
  expect(response.status).toBeLessThan(500)
  expect(response.headers['x-amzn-requestid']).toBe('the-id')
})

describe('an error without a sentence', () => {
  it.each(['KMSInvalidSignatureException', 'InvalidCiphertextException'])('%s has no member for one', async (code) => {
    expect(JSON.parse(String((await answer('kms', new Fault(code, ''))).body))).toEqual({ __type: code })
  })
  it('has an empty one where no model lists it', async () => {
    const { body } = await answer('kms', new Fault('ValidationError', ''))
    expect(JSON.parse(String(body))).toEqual({ __type: 'ValidationException', message: '' })
  })
})
