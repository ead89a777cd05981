/** ACME endpoints by the official client, and the protocol by a client of a page. */
import { execFileSync } from 'node:child_process'
import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes, X509Certificate } from 'node:crypto'
import {
  ACMClient,
  CreateAcmeDomainValidationCommand,
  CreateAcmeEndpointCommand,
  CreateAcmeExternalAccountBindingCommand,
  DeleteAcmeDomainValidationCommand,
  DeleteAcmeEndpointCommand,
  DeleteAcmeExternalAccountBindingCommand,
  DescribeAcmeAccountCommand,
  DescribeAcmeDomainValidationCommand,
  DescribeAcmeEndpointCommand,
  DescribeAcmeExternalAccountBindingCommand,
  GetAcmeExternalAccountBindingCredentialsCommand,
  ListAcmeAccountsCommand,
  ListAcmeDomainValidationsCommand,
  ListAcmeEndpointsCommand,
  ListAcmeExternalAccountBindingsCommand,
  ListTagsForResourceCommand,
  RevokeAcmeAccountCommand,
  RevokeAcmeExternalAccountBindingCommand,
  RevokeCertificateCommand,
  SearchCertificatesCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAcmeDomainValidationCommand,
  UpdateAcmeEndpointCommand,
} from '@aws-sdk/client-acm'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import { beforeEach, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { buildSigningRequest } from '../../engines/x509/certificate-builder.ts'
import { subjectAltName } from '../../engines/x509/extensions.ts'
import { distinguishedName } from '../../engines/x509/names.ts'
import { Metrics } from '../../server/listen/metrics.ts'
import { certificatesCloud } from './acm.fixture.ts'
import { makeKeyPair } from './private-keys.ts'

type Cloud = Awaited<ReturnType<typeof certificatesCloud>>
let it: Cloud
let arn: string
let directory: string
let RoleArn: string

beforeEach(async () => {
  it = await certificatesCloud({ quotas: { 'acm/AcmeAccountsPerBinding': 2 } })
  const made = await it.acm.send(
    new CreateAcmeEndpointCommand({
      AuthorizationBehavior: 'PRE_APPROVED',
      CertificateAuthority: { PublicCertificateAuthority: { AllowedKeyAlgorithms: ['EC_prime256v1'] } },
      Tags: [{ Key: 'team', Value: 'a' }],
      CertificateTags: [{ Key: 'by', Value: 'acme' }],
    }),
  )
  arn = made.AcmeEndpointArn!
  const { AcmeEndpoint } = await it.acm.send(new DescribeAcmeEndpointCommand({ AcmeEndpointArn: arn }))
  directory = AcmeEndpoint!.EndpointUrl!
  const iam = it.client(IAMClient)
  const trust = allowing({ Principal: { Service: 'acm.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await iam.send(new CreateRoleCommand({ RoleName: 'web', AssumeRolePolicyDocument: trust }))
  RoleArn = `arn:aws:iam::${ACCOUNT}:role/web`
  await permit(allowing({ Action: ['acm:RequestCertificate', 'acm:AddTagsToCertificate'], Resource: '*' }))
})

const permit = (PolicyDocument: string) =>
  it.client(IAMClient).send(new PutRolePolicyCommand({ RoleName: 'web', PolicyName: 'p', PolicyDocument }))

/** A domain that is proved by a zone of the installation. */
async function prove(DomainName: string, DomainScope: object = {}) {
  const { HostedZone } = await it
    .client(Route53Client)
    .send(new CreateHostedZoneCommand({ Name: DomainName, CallerReference: DomainName }))
  const made = await it.acm.send(
    new CreateAcmeDomainValidationCommand({
      AcmeEndpointArn: arn,
      DomainName,
      PrevalidationOptions: { DnsPrevalidation: { DomainScope, HostedZoneId: HostedZone!.Id!.split('/').at(-1)! } },
    }),
  )
  await it.pass(2_000)
  return made.AcmeDomainValidationArn!
}

async function bound(more: object = {}) {
  const made = await it.acm.send(
    new CreateAcmeExternalAccountBindingCommand({ AcmeEndpointArn: arn, RoleArn, ...more }),
  )
  const bindingArn = made.ExternalAccountBinding!.AcmeExternalAccountBindingArn!
  const get = new GetAcmeExternalAccountBindingCredentialsCommand({ AcmeExternalAccountBindingArn: bindingArn })
  const { KeyId, MacKey } = await it.acm.send(get)
  return { bindingArn, KeyId: KeyId!, MacKey: MacKey! }
}

const base64url = (value: object | string | Buffer) =>
  (Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))).toString(
    'base64url',
  )

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any kind.
  readonly body: any
}

class AcmeClient {
  readonly key: KeyObject
  readonly jwk: Readonly<Record<string, string>>
  kid: string | undefined
  urls: Readonly<Record<string, string>> = {}

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.key = privateKey
    this.jwk = publicKey.export({ format: 'jwk' }) as Record<string, string>
  }

  async fetch(method: string, url: string, body = ''): Promise<Answer> {
    const { pathname } = new URL(url)
    const answer = await it.handle({
      method,
      path: pathname,
      query: '',
      rawHeaders: ['host', 'localhost', 'content-type', 'application/jose+json'],
      body: Buffer.from(body),
      remoteAddress: '127.0.0.1',
      secure: false,
    })
    const text = String(answer.body)
    const isJson = /json/.test(String(answer.headers['content-type']))
    return {
      status: answer.status,
      headers: answer.headers as Record<string, string>,
      body: isJson && text ? JSON.parse(text) : text,
    }
  }

  async start() {
    this.urls = (await this.fetch('GET', directory)).body
    return this
  }

  nonce = async () => (await this.fetch('HEAD', this.urls['newNonce']!)).headers['replay-nonce']!

  sign(header: object, payload: object | '') {
    const [head, text] = [base64url({ alg: 'ES256', ...header }), payload === '' ? '' : base64url(payload)]
    const signature = signBytes('sha256', Buffer.from(`${head}.${text}`), { key: this.key, dsaEncoding: 'ieee-p1363' })
    return JSON.stringify({ protected: head, payload: text, signature: base64url(signature) })
  }

  async post(url: string, payload: object | '' = '', nonce?: string): Promise<Answer> {
    const by = this.kid ? { kid: this.kid } : { jwk: this.jwk }
    return this.fetch('POST', url, this.sign({ url, nonce: nonce ?? (await this.nonce()), ...by }, payload))
  }

  binding(KeyId: string, MacKey: string) {
    const url = this.urls['newAccount']!
    const [head, text] = [base64url({ alg: 'HS256', kid: KeyId, url }), base64url(this.jwk)]
    const signature = createHmac('sha256', Buffer.from(MacKey, 'base64url'))
      .update(`${head}.${text}`)
      .digest('base64url')
    return { protected: head, payload: text, signature }
  }

  async register(KeyId: string, MacKey: string) {
    const externalAccountBinding = this.binding(KeyId, MacKey)
    const answer = await this.post(this.urls['newAccount']!, { termsOfServiceAgreed: true, externalAccountBinding })
    if (answer.status < 300) this.kid = answer.headers['location']!
    return answer
  }

  order = (name: string, replaces?: string) => this.orderAll([name], replaces)
  orderAll = (names: readonly string[], replaces?: string) =>
    this.post(this.urls['newOrder']!, { identifiers: names.map((value) => ({ type: 'dns', value })), replaces })

  async finalize(order: Answer, names: readonly string[]) {
    const pair = await makeKeyPair('EC_prime256v1')
    const csr = await buildSigningRequest(
      {
        subject: distinguishedName([]),
        publicKey: pair.publicKey,
        extensions: [subjectAltName(names)],
        algorithm: 'SHA256WITHECDSA',
      },
      async (message) => signBytes('sha256', message, pair.privateKey),
    )
    return this.post(order.body.finalize, { csr: base64url(csr) })
  }
}

/** RFC 9773 §4.1, by OpenSSL's reading of the certificate. */
function renewalId(leaf: X509Certificate): string {
  const [, hex = ''] =
    /X509v3 Authority Key Identifier:\s+(?:keyid:)?([0-9A-F:]+)/.exec(
      execFileSync('openssl', ['x509', '-noout', '-ext', 'authorityKeyIdentifier'], {
        input: leaf.toString(),
        encoding: 'utf8',
      }),
    ) ?? []
  const serial = leaf.serialNumber.padStart(leaf.serialNumber.length + (leaf.serialNumber.length % 2), '0')
  return [hex.replaceAll(':', ''), serial].map((each) => base64url(Buffer.from(each, 'hex'))).join('.')
}

async function registered() {
  const { bindingArn, KeyId, MacKey } = await bound()
  const client = await new AcmeClient().start()
  expect((await client.register(KeyId, MacKey)).status).toBe(201)
  return { client, bindingArn }
}

describe('A client', () => {
  test('with a binding gets a certificate for a proved domain, which the account sees, and revokes it', async () => {
    await prove('corp.test', { Subdomains: 'ENABLED', Wildcards: 'ENABLED' })
    const { client } = await registered()
    const names = ['www.corp.test', '*.corp.test']
    const order = await client.orderAll(names)

    expect([order.status, order.body.status]).toEqual([201, 'ready'])
    const [authorization] = await Promise.all(order.body.authorizations.map((url: string) => client.post(url)))
    expect(authorization.body).toMatchObject({ status: 'valid', identifier: { type: 'dns', value: 'www.corp.test' } })
    expect((await client.finalize(order, ['www.corp.test'])).body.type).toBe('urn:ietf:params:acme:error:badCSR')
    const done = await client.finalize(order, names)
    expect(done.body.status).toBe('valid')
    const { body: chain, headers } = await client.post(done.body.certificate)
    expect(headers['content-type']).toBe('application/pem-certificate-chain')
    const leaf = new X509Certificate(chain)
    expect(leaf.subjectAltName).toBe('DNS:www.corp.test, DNS:*.corp.test')

    const { Results } = await it.client(ACMClient).send(new SearchCertificatesCommand({}))
    const metadata = Results![0]!.CertificateMetadata!.AcmCertificateMetadata!
    expect(metadata).toMatchObject({ Status: 'ISSUED', CertificateKeyPairOrigin: 'ACME', AcmeEndpointArn: arn })
    expect((await it.events('RequestCertificate'))[0].userIdentity.arn).toMatch(/assumed-role\/web\/acme-/)
    expect((await it.events('FinalizeAcmeOrder'))[0].userIdentity.type).toBe('AcmeAccount')

    const id = renewalId(leaf)
    const info = await client.fetch('GET', `${client.urls['renewalInfo']}/${id}`)
    expect(Date.parse(info.body.suggestedWindow.start)).toBeLessThan(Date.parse(leaf.validTo))
    const foreign = `${base64url('another authority')}.${id.split('.')[1]}`
    for (const unknown of [foreign, `${id}AA`, 'x', `${id.split('.')[0]}.`])
      expect((await client.fetch('GET', `${client.urls['renewalInfo']}/${unknown}`)).status).toBe(404)
    const certificate = base64url(leaf.raw)
    expect((await client.post(client.urls['revokeCert']!, { certificate, reason: 4 })).status).toBe(200)
    expect((await client.post(client.urls['revokeCert']!, { certificate })).body.type).toMatch(/alreadyRevoked/)
  })

  test('is counted by what it did and how that ended, as calls of the API are', async () => {
    await prove('corp.test', { Subdomains: 'ENABLED' })
    const { client } = await registered()
    const order = await client.orderAll(['www.corp.test'])
    await client.orderAll(['www.other.test'])
    await client.finalize(order, ['www.corp.test'])

    const metrics = new Metrics()
    for (const answer of it.answers) metrics.observe(answer)
    const counted = metrics.text().match(/^merlon_requests_total\{service="acm",operation="\w*Acme\w*Order".*$/gm)
    expect(counted).toEqual([
      'merlon_requests_total{service="acm",operation="CreateAcmeOrder",status="201"} 1',
      'merlon_requests_total{service="acm",operation="CreateAcmeOrder",status="400"} 1',
      'merlon_requests_total{service="acm",operation="FinalizeAcmeOrder",status="200"} 1',
    ])
  })

  test('names the certificate that an order replaces, once, and one of its own', async () => {
    await prove('corp.test', { Subdomains: 'ENABLED' })
    const { client } = await registered()
    const issue = async (replaces?: string) => {
      const order = await client.order('corp.test', replaces)
      return order.status === 201 ? client.finalize(order, ['corp.test']) : order
    }
    const first = await issue()
    const leaf = new X509Certificate((await client.post(first.body.certificate)).body)
    const early = await client.order('corp.test', renewalId(leaf))

    expect(early.body).toMatchObject({ status: 'ready', replaces: renewalId(leaf) })
    expect((await issue(renewalId(leaf))).body).toMatchObject({ status: 'valid', replaces: renewalId(leaf) })
    expect(await issue(renewalId(leaf))).toMatchObject({
      status: 409,
      body: { type: expect.stringMatching(/alreadyReplaced$/) },
    })
    expect((await client.finalize(early, ['corp.test'])).status).toBe(409)
    expect((await issue('AAAA.AAAA')).body.type).toMatch(/malformed$/)
    const { client: other } = await registered()
    expect((await other.order('corp.test', renewalId(leaf))).body.type).toMatch(/malformed$/)
  })

  test('has a revoked certificate renewed at once: its owner revokes by the API what the client holds', async () => {
    await prove('corp.test')
    const { client } = await registered()
    const done = await client.finalize(await client.order('corp.test'), ['corp.test'])
    const leaf = new X509Certificate((await client.post(done.body.certificate)).body)
    const { Results } = await it.acm.send(new SearchCertificatesCommand({}))
    const { CertificateArn } = Results![0]!
    const revoke = new RevokeCertificateCommand({ CertificateArn, RevocationReason: 'KEY_COMPROMISE' })
    await it.acm.send(revoke)

    const { body } = await client.fetch('GET', `${client.urls['renewalInfo']}/${renewalId(leaf)}`)
    expect(Date.parse(body.suggestedWindow.end)).toBeLessThanOrEqual(it.clock.now())
  })

  test.each([
    ['a name below where only the domain is proved', {}, 'www.corp.test'],
    ['a wildcard that is not in the scope', { Subdomains: 'ENABLED' }, '*.corp.test'],
    ['the domain where only names below are', { ExactDomain: 'DISABLED', Subdomains: 'ENABLED' }, 'corp.test'],
    ['another domain', { Subdomains: 'ENABLED', Wildcards: 'ENABLED' }, 'notcorp.test'],
  ])('gets no order for %s', async (_what, scope, name) => {
    await prove('corp.test', scope)
    const { client } = await registered()

    expect((await client.order(name)).body.type).toBe('urn:ietf:params:acme:error:rejectedIdentifier')
  })

  test('gets nothing that the role of its binding may not request', async () => {
    await prove('corp.test', { Subdomains: 'ENABLED' })
    const Condition = { 'ForAllValues:StringLike': { 'acm:DomainNames': 'www.*' } }
    await permit(
      allowing(
        { Action: 'acm:RequestCertificate', Resource: '*', Condition },
        { Action: 'acm:AddTagsToCertificate', Resource: '*' },
      ),
    )
    const { client } = await registered()
    const mine = await client.order('www.corp.test')
    const other = await client.order('api.corp.test')

    expect((await client.finalize(mine, ['www.corp.test'])).status).toBe(200)
    const refused = await client.finalize(other, ['api.corp.test'])
    expect(refused.body).toMatchObject({ type: 'urn:ietf:params:acme:error:unauthorized' })
    expect(refused.body.detail).toContain('acm:RequestCertificate')
  })

  test('is refused without a binding, with a wrong one, with a revoked one, and once its account is revoked', async () => {
    const { KeyId, MacKey, bindingArn } = await bound()
    const client = await new AcmeClient().start()
    const account = await client.post(client.urls['newAccount']!, { termsOfServiceAgreed: true })
    expect(account.body.type).toMatch(/externalAccountRequired$/)
    expect((await client.register(KeyId, base64url('wrong'))).body.type).toMatch(/unauthorized$/)
    await client.register(KeyId, MacKey)
    const account1 = await it.acm.send(new ListAcmeAccountsCommand({ AcmeEndpointArn: arn }))
    const AccountUrl = account1.AcmeAccounts![0]!.AccountUrl!
    expect(AccountUrl).toBe(client.kid)

    await it.acm.send(new RevokeAcmeExternalAccountBindingCommand({ AcmeExternalAccountBindingArn: bindingArn }))
    expect((await client.order('corp.test')).body).toMatchObject({ type: expect.stringMatching(/unauthorized$/) })
    const second = await new AcmeClient().start()
    expect((await second.register(KeyId, MacKey)).body.type).toMatch(/unauthorized$/)
    await it.acm.send(new RevokeAcmeAccountCommand({ AcmeEndpointArn: arn, AccountUrl }))
    const shown = await it.acm.send(new DescribeAcmeAccountCommand({ AcmeEndpointArn: arn, AccountUrl }))
    expect(shown.AcmeAccount!.Status).toBe('REVOKED')
    expect((await client.order('corp.test')).body.detail).toContain('revoked')
  })

  test('shares its binding with as many others as the quota says', async () => {
    const { KeyId, MacKey } = await bound()
    const first = await new AcmeClient().start()

    expect((await first.register(KeyId, MacKey)).status).toBe(201)
    expect((await (await new AcmeClient().start()).register(KeyId, MacKey)).status).toBe(201)
    expect(await (await new AcmeClient().start()).register(KeyId, MacKey)).toMatchObject({
      status: 429,
      body: { type: 'urn:ietf:params:acme:error:rateLimited' },
    })
  })

  test('spends each nonce once, signs for the address it calls, and by its own key', async () => {
    const { client } = await registered()
    const url = client.kid!
    const nonce = await client.nonce()

    expect((await client.post(url, '', nonce)).status).toBe(200)
    expect((await client.post(url, '', nonce)).body.type).toMatch(/badNonce$/)
    await it.pass(61 * 60_000)
    expect((await client.post(url, '', nonce)).body.type).toMatch(/badNonce$/)
    const elsewhere = client.sign({ url: `${url}x`, nonce: await client.nonce(), kid: url }, '')
    expect((await client.fetch('POST', url, elsewhere)).body.type).toMatch(/unauthorized$/)
    const forged = new AcmeClient()
    const body = forged.sign({ url, nonce: await client.nonce(), kid: url }, '')
    expect((await client.fetch('POST', url, body)).status).toBe(400)
    const none = client.sign({ alg: 'none', url, nonce: await client.nonce(), kid: url }, '')
    expect((await client.fetch('POST', url, none)).body.type).toMatch(/badSignatureAlgorithm$/)
    for (const text of ['', '{}', '[]', 'null', '{"protected":"e30","payload":"","signature":""}'])
      expect((await client.fetch('POST', url, text)).body.type).toMatch(/malformed$/)
  })

  test('changes its key, its contacts, and ends its account', async () => {
    const { client } = await registered()
    const next = new AcmeClient()
    const url = client.urls['keyChange']!
    const inner = JSON.parse(next.sign({ url, jwk: next.jwk }, { account: client.kid!, oldKey: client.jwk }))

    expect((await client.post(url, inner)).status).toBe(200)
    expect((await client.post(client.kid!)).status).toBe(400)
    next.urls = client.urls
    next.kid = client.kid
    const contact = ['mailto:ann@corp.test']
    expect((await next.post(next.kid!, { contact })).body.contact).toEqual(contact)
    expect((await next.post(next.kid!, { contact: ['tel:1'] })).body.type).toMatch(/unsupportedContact$/)
    expect((await next.post(next.kid!, { status: 'deactivated' })).body.status).toBe('deactivated')
    expect((await next.post(next.kid!)).status).toBe(403)
  })
})

describe('An endpoint', () => {
  test('is listed, changed and tagged, and deleted when nothing belongs to it', async () => {
    const acm = it.client(ACMClient)
    const domain = await prove('corp.test')
    const { bindingArn } = await bound({ Expiration: { Value: 1, Type: 'HOURS' } })
    const { AcmeEndpoints } = await acm.send(new ListAcmeEndpointsCommand({}))
    expect(AcmeEndpoints!.map((each) => each.AcmeEndpointArn)).toEqual([arn])
    await acm.send(new UpdateAcmeEndpointCommand({ AcmeEndpointArn: arn, Contact: 'REQUIRED' }))
    const list = { AcmeEndpointArn: arn }
    expect((await acm.send(new ListAcmeDomainValidationsCommand(list))).AcmeDomainValidations).toHaveLength(1)
    expect((await acm.send(new ListAcmeExternalAccountBindingsCommand(list))).ExternalAccountBindings).toHaveLength(1)
    const describeDomain = new DescribeAcmeDomainValidationCommand({ AcmeDomainValidationArn: domain })
    expect((await acm.send(describeDomain)).AcmeDomainValidation).toMatchObject({
      Status: 'VALID',
      DomainName: 'corp.test',
    })
    const scope = { DnsPrevalidation: { DomainScope: { Subdomains: 'ENABLED' as const } } }
    await acm.send(
      new UpdateAcmeDomainValidationCommand({ AcmeDomainValidationArn: domain, PrevalidationOptions: scope }),
    )
    const describeBinding = new DescribeAcmeExternalAccountBindingCommand({ AcmeExternalAccountBindingArn: bindingArn })
    expect((await acm.send(describeBinding)).ExternalAccountBinding).toMatchObject({
      RoleArn,
      ExpiresAt: expect.any(Date),
    })
    for (const ResourceArn of [arn, domain, bindingArn]) {
      await acm.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: 'stage', Value: 'b' }] }))
      await acm.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['team'] }))
      expect((await acm.send(new ListTagsForResourceCommand({ ResourceArn }))).Tags).toEqual([
        { Key: 'stage', Value: 'b' },
      ])
    }
    const remove = new DeleteAcmeEndpointCommand({ AcmeEndpointArn: arn })
    await expect(acm.send(remove)).rejects.toMatchObject({ name: 'ConflictException' })
    await acm.send(new DeleteAcmeDomainValidationCommand({ AcmeDomainValidationArn: domain }))
    await acm.send(new DeleteAcmeExternalAccountBindingCommand({ AcmeExternalAccountBindingArn: bindingArn }))
    await acm.send(remove)
    const client = new AcmeClient()
    expect((await client.fetch('GET', directory)).status).toBe(404)
  })

  test('makes bindings only for callers that may pass the role', async () => {
    const ann = it.client(ACMClient, await it.user('ann', allowing({ Action: 'acm:*', Resource: '*' })))

    await expect(
      ann.send(new CreateAcmeExternalAccountBindingCommand({ AcmeEndpointArn: arn, RoleArn })),
    ).rejects.toThrow(/iam:PassRole/)
  })
})
