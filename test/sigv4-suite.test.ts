/** AWS's own signing test suite: every published request, in header and query form, for SigV4 and SigV4a. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { canonicalRequest, gather, sha256Hex, stringToSign } from '../src/wire/sigv4/canonical.ts'
import { present, presign, SigningKeys, sign, verify } from '../src/wire/sigv4/index.ts'
import { scopeText } from '../src/wire/sigv4/keys.ts'

interface Signed {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: string
}

interface Case {
  readonly name: string
  readonly token?: string
  /** The token was added after signing, which some services allow and we do not. */
  readonly tokenUnsigned?: boolean
  /** The path is signed without normalisation, as S3 does. */
  readonly asSent?: boolean
  readonly v4?: Readonly<Record<'header' | 'query', Signed>>
  readonly v4a: Readonly<Record<'header' | 'query', Signed>>
}

const suite: { readonly secret: string; readonly accessKeyId: string; readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('./vectors/sigv4/aws-signing-test-suite.json', import.meta.url), 'utf8'),
)
const NOW = Date.UTC(2015, 7, 30, 12, 36, 0)
const credential = { secret: suite.secret, version: '1' }
const forms = suite.cases.flatMap((vector) =>
  (['v4', 'v4a'] as const).flatMap((version) =>
    (['header', 'query'] as const).flatMap((form) => {
      const signed = vector[version]?.[form]
      return signed ? [{ title: `${version} ${form} ${vector.name}`, vector, signed, version, form }] : []
    }),
  ),
)

function received(signed: Signed) {
  const [path, query = ''] = signed.target.split(/\?(.*)/s)
  return {
    method: signed.method,
    path: path!,
    query,
    rawHeaders: signed.headers.flat(),
    body: Buffer.from(signed.body ?? ''),
    remoteAddress: '192.0.2.1',
    secure: true,
  }
}

function prove(request: ReturnType<typeof received>) {
  return verify(request, present(request)!, credential, new SigningKeys(1), NOW, {
    skewMs: 900_000,
    serviceNames: ['service'],
    region: 'us-east-1',
  })
}

describe('the signing test suite', () => {
  it('is complete', () => {
    expect(forms.length).toBe(38 * 2 * 2)
  })

  it.each(forms.filter(({ vector }) => !vector.asSent && !vector.tokenUnsigned))('$title verifies', ({ signed }) => {
    const request = received(signed)

    expect(prove(request).body).toEqual(request.body)
    expect(() => prove({ ...request, method: 'PATCH' })).toThrow(/signature we calculated/)
  })

  // Signed without normalisation under a service name that, here, normalises: so below `verify`, where the style is chosen.
  it.each(forms.filter(({ vector }) => vector.asSent))('$title has the same canonical request', ({ signed, form }) => {
    const request = received(signed)
    const presented = present(request)!

    const canonical = canonicalRequest({
      ...request,
      // A request line cannot contain a space; the suite means its encoded form.
      path: request.path.replaceAll(' ', '%20'),
      headers: gather(request.rawHeaders),
      signedHeaders: presented.signedHeaders,
      pathStyle: 'encoded-once',
      omittedParameter: form === 'query' ? 'x-amz-signature' : undefined,
      payload: sha256Hex(request.body),
    })
    const text = stringToSign(presented.algorithm, presented.amzDate, scopeText(presented), canonical)

    const key = new SigningKeys(1).get(presented, credential)
    expect(key.check(text, presented.signature)).toBe(true)
  })

  it.each(forms.filter(({ vector }) => vector.tokenUnsigned))(
    '$title is refused, for its token is unsigned',
    ({ signed }) => {
      expect(() => prove(received(signed))).toThrow()
    },
  )

  const signable = forms.filter(
    ({ vector, version, form }) => !vector.asSent && !vector.tokenUnsigned && version === 'v4' && form === 'header',
  )
  it.each(signable)('our signer reproduces $title', ({ signed, vector }) => {
    const unsigned = received({
      ...signed,
      headers: signed.headers.filter(([name]) => !/^(x-amz-(date|security-token)|authorization)$/i.test(name)),
    })
    const options = { region: 'us-east-1', service: 'service', nowMs: NOW }
    const signer = { accessKeyId: suite.accessKeyId, secret: suite.secret, sessionToken: vector.token }

    const authorization = gather(sign(unsigned, signer, options).rawHeaders).get('authorization')
    const { query } = vector.v4!
    const bare = received({ ...query, target: query.target.replace(/[?&]X-Amz-.*/s, '') })
    const url = presign(bare, signer, { ...options, expiresSeconds: 3600 }).query

    expect(authorization).toEqual(gather(signed.headers.flat()).get('authorization'))
    expect(url.slice(-64)).toBe(query.target.slice(-64))
  })
})
