/** Requests that cost a server far more than they cost their senders: by code, so that their sizes are easy to change. */
import { gzipSync } from 'node:zlib'

export interface Attack {
  readonly name: string
  readonly method?: string
  readonly path?: string
  readonly query?: string
  readonly headers: readonly string[]
  readonly body: Buffer
  /** Default: that of the API. */
  readonly listener?: 'pages'
  /** The signing name. Undefined: sent without a signature. */
  readonly service?: string
  /** Takes the place of the body's hash in the signature. */
  readonly payload?: string
  /** How often it is sent, all at once. Default: once. */
  readonly times?: number
  /** A right signature by a key without permissions, or a wrong one by the same key. */
  readonly signature?: 'right' | 'wrong'
}

const MIB = 1024 * 1024
const FORM = ['Content-Type', 'application/x-www-form-urlencoded']

const many = (count: number, each: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => each(i)).join('')
const upTo = (bytes: number, each: (i: number) => string): string => {
  const parts: string[] = []
  for (let i = 0, length = 0; length < bytes; i++) {
    parts.push(each(i))
    length += parts[i]!.length
  }
  return parts.join('')
}

const STS = 'Action=GetCallerIdentity&Version=2011-06-15'
const IAM = 'Action=ListUsers&Version=2010-05-08'
const deepNames = (bytes: number, start: string) =>
  Buffer.from(upTo(bytes, (i) => (i === 0 ? start : `&${i}${'.a'.repeat(60)}=`)))

const target = (name: string) => ['X-Amz-Target', name, 'Content-Type', 'application/x-amz-json-1.1']
const keys = (bytes: number) => upTo(bytes, (i) => `${i === 0 ? '' : ','}"k${i}":"v"`)
const encrypt = (context: string) =>
  Buffer.from(`{"KeyId":"alias/x","Plaintext":"AAAA","EncryptionContext":{${context}}}`)

const samlResponse = (inside: string) =>
  `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">${inside}</samlp:Response>`

function assertion(inside: string, providerArn: string, roleArn: string): Buffer {
  const response = samlResponse(inside)
  return Buffer.from(
    `Action=AssumeRoleWithSAML&Version=2011-06-15&PrincipalArn=${encodeURIComponent(providerArn)}&RoleArn=${encodeURIComponent(roleArn)}&SAMLAssertion=${encodeURIComponent(Buffer.from(response).toString('base64'))}`,
  )
}

export function unauthenticated(providerArn: string, roleArn: string): readonly Attack[] {
  const saml = (name: string, inside: string): Attack => ({
    name,
    headers: FORM,
    body: assertion(inside, providerArn, roleArn),
  })
  return [
    { name: 'a form of deep names', headers: FORM, body: deepNames(6 * MIB - 1_000, IAM) },
    { name: 'a form of deep names for STS', headers: FORM, body: deepNames(6 * MIB - 1_000, STS) },
    { name: 'a form of separators', headers: FORM, body: Buffer.from(IAM + '&'.repeat(6 * MIB - 1_000)) },
    { name: 'a form that nearly has an action', headers: FORM, body: Buffer.from('&Actio'.repeat(MIB - 1_000)) },
    {
      name: 'compressed forms',
      headers: [...FORM, 'Content-Encoding', 'gzip'],
      body: gzipSync(deepNames(1_000_000, STS)),
      times: 20,
    },
    {
      name: 'a compressed bomb',
      headers: [...FORM, 'Content-Encoding', 'gzip', 'Host', 'monitoring.us-east-1.amazonaws.com'],
      body: gzipSync(Buffer.alloc(64 * MIB)),
    },
    { name: 'a large JSON map', headers: target('TrentService.Encrypt'), body: encrypt(keys(5 * MIB)) },
    { name: 'deep JSON', headers: target('TrentService.Encrypt'), body: Buffer.from('['.repeat(5 * MIB)) },
    {
      name: 'deep CBOR',
      path: '/service/GraniteServiceVersion20100801/operation/PutMetricData',
      headers: ['smithy-protocol', 'rpc-v2-cbor'],
      body: Buffer.alloc(5 * MIB, 0x9f),
    },
    {
      name: 'a long query',
      method: 'GET',
      query: `${STS}&${many(2_000, (i) => `%${i % 10}a=&`)}`,
      headers: [],
      body: Buffer.alloc(0),
    },
    { name: 'a long path', method: 'GET', path: `/v1${'/..'.repeat(5_000)}`, headers: [], body: Buffer.alloc(0) },
    saml('an assertion of namespaces', `<a${many(4_000, (n) => ` xmlns:n${n}=""`)}/>`),
    saml('an assertion of elements', `<a>${many(8_000, () => '<b/>')}</a>`),
    saml('an assertion of attributes', `<a${many(5_000, (i) => ` a${i}=""`)}/>`),
    saml(
      'a deep assertion',
      `${many(60, (i) => `<a xmlns:n${i}="u">`)}${many(3_000, (i) => `<b i="${i}"/>`)}${many(60, () => '</a>')}`,
    ),
    saml('an assertion of blanks', `<a ${' '.repeat(60_000)}`),
    saml('an assertion of entities', `<a>${'&amp;'.repeat(12_000)}</a>`),
    {
      name: 'a web identity token of dots',
      headers: FORM,
      body: Buffer.from(
        `Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=s&RoleArn=${encodeURIComponent(roleArn)}&WebIdentityToken=${'a.'.repeat(9_000)}`,
      ),
    },
    {
      name: 'a code upload with a wrong signature',
      service: 'lambda',
      signature: 'wrong',
      path: '/2015-03-31/functions',
      headers: ['Content-Type', 'application/json'],
      body: Buffer.from(`{"Code":{"ZipFile":"${'A'.repeat(60 * MIB)}"}}`),
    },
  ]
}

/** Longer ones are cut off by their announced length. */
const PAGE_BYTES = 15_000

/** What the doors for people and devices read before they know who is there. */
export function atOtherDoors(): readonly Attack[] {
  const page = (name: string, path: string, text: string): Attack => ({
    name,
    listener: 'pages',
    path,
    headers: FORM,
    body: Buffer.from(text),
  })
  const samlForm = (inside: string) =>
    `SAMLResponse=${encodeURIComponent(Buffer.from(samlResponse(inside)).toString('base64'))}`
  const pool = (operation: string) => target(`AWSCognitoIdentityProviderService.${operation}`)
  return [
    page(
      'a sign-in form of pairs',
      '/signin/user',
      upTo(PAGE_BYTES, (i) => `${i ? '&' : ''}${i}=`),
    ),
    page('a sign-in form of separators', '/signin/user', '&'.repeat(PAGE_BYTES)),
    page('a SAML sign-in of namespaces', '/saml', samlForm(`<a${many(4_000, (n) => ` xmlns:n${n}=""`)}/>`)),
    page('a SAML sign-in of elements', '/saml', samlForm(`<a>${many(8_000, () => '<b/>')}</a>`)),
    page('a SAML sign-in of blanks', '/saml', samlForm(`<a ${' '.repeat(60_000)}`)),
    {
      name: 'a sign-in at a user pool of many parameters',
      headers: pool('InitiateAuth'),
      body: Buffer.from(
        `{"ClientId":"x","AuthFlow":"USER_PASSWORD_AUTH","AuthParameters":{${upTo(5 * MIB, (i) => `${i ? ',' : ''}"k${i}":"v"`)}}}`,
      ),
    },
    { name: 'a sign-up of deep JSON', headers: pool('SignUp'), body: Buffer.from('['.repeat(5 * MIB)) },
    {
      name: 'an identity of many logins',
      headers: target('AWSCognitoIdentityService.GetId'),
      body: Buffer.from(`{"IdentityPoolId":"us-east-1:x","Logins":{${keys(5 * MIB)}}}`),
    },
    {
      name: 'a client of deep JSON',
      path: '/client/register',
      headers: ['Content-Type', 'application/json'],
      body: Buffer.from(`{"clientName":${'['.repeat(2 * MIB)}`),
    },
    {
      name: 'a status request of nested lengths',
      path: '/acm-pca/ocsp/00000000-0000-0000-0000-000000000000',
      headers: ['Content-Type', 'application/ocsp-request'],
      body: Buffer.from('3080'.repeat(MIB), 'hex'),
    },
    {
      name: 'an ACME account of deep JSON',
      path: '/acme/x/new-account',
      headers: ['Content-Type', 'application/jose+json'],
      body: Buffer.from(`{"protected":"${'A'.repeat(MIB)}","payload":${'['.repeat(MIB)}`),
    },
    {
      name: 'a SCIM filter of parentheses',
      method: 'GET',
      listener: 'pages',
      path: '/scim/v2/Users',
      query: `filter=${'('.repeat(15_000)}`,
      headers: ['Authorization', `Bearer ${'a.'.repeat(3_000)}`],
      body: Buffer.alloc(0),
    },
  ]
}

export function withoutPermissions(): readonly Attack[] {
  const s3 = (name: string, path: string, query: string, body: string): Attack => ({
    name,
    service: 's3',
    method: 'PUT',
    path,
    query,
    headers: [],
    body: Buffer.from(body),
  })
  return [
    {
      name: 'an object in chunks of one byte',
      service: 's3',
      method: 'PUT',
      path: '/bucket/key',
      payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: ['Content-Encoding', 'aws-chunked'],
      body: Buffer.from(`${'1\r\nx\r\n'.repeat(5_000_000)}0\r\n\r\n`),
    },
    {
      name: 'a JSON map of many keys',
      service: 'kms',
      headers: target('TrentService.Encrypt'),
      body: encrypt(keys(1_000_000)),
    },
    {
      name: 'a JSON map of as many keys as are read',
      service: 'kms',
      headers: target('TrentService.Encrypt'),
      body: encrypt(many(990, (i) => `${i ? ',' : ''}"k${i}":"v"`)),
    },
    {
      name: 'a compressed JSON map',
      service: 'kms',
      headers: [...target('TrentService.Encrypt'), 'Content-Encoding', 'gzip'],
      body: gzipSync(encrypt(keys(16 * MIB - 1_000))),
    },
    {
      name: 'a JSON list of lists',
      service: 'kms',
      headers: target('TrentService.CreateKey'),
      body: Buffer.from(`{"Tags":[${many(49_000, (i) => `${i ? ',' : ''}{}`)}]}`),
    },
    { name: 'a form of deep names', service: 'iam', headers: FORM, body: deepNames(6 * MIB - 1_000, IAM) },
    {
      name: 'a form of many parameters',
      service: 'iam',
      headers: FORM,
      body: Buffer.from(upTo(5 * MIB, (i) => (i ? `&${i}=` : IAM))),
    },
    s3('XML of attributes', '/bucket', 'tagging', `<Tagging ${many(150_000, (i) => `a${i}="" `)}/>`),
    s3(
      'XML of elements',
      '/bucket',
      'tagging',
      `<Tagging><TagSet>${many(130_000, () => '<Tag></Tag>')}</TagSet></Tagging>`,
    ),
    s3(
      'deep XML',
      '/bucket',
      'tagging',
      many(200_000, () => '<a>'),
    ),
    s3('XML of comments', '/bucket', 'tagging', `${'<!---->'.repeat(250_000)}<a/>`),
    s3('XML of instructions', '/bucket', 'tagging', `${'<?a?>'.repeat(350_000)}<a/>`),
    {
      name: 'a large certificate chain',
      service: 'iam',
      headers: FORM,
      body: Buffer.from(
        `Action=UploadServerCertificate&Version=2010-05-08&ServerCertificateName=a&CertificateBody=a&PrivateKey=a&CertificateChain=${'-----BEGIN+CERTIFICATE-----%0A'.repeat(60_000)}`,
      ),
    },
    {
      name: 'large policies to compare',
      service: 'access-analyzer',
      path: '/policy/check-no-new-access',
      headers: ['Content-Type', 'application/json'],
      body: Buffer.from(
        JSON.stringify({
          policyType: 'IDENTITY_POLICY',
          existingPolicyDocument: '{"Statement":[]}'.padEnd(400_000),
          newPolicyDocument: '['.repeat(400_000),
        }),
      ),
    },
  ]
}
