/**
 * ACME (RFC 8555) for the endpoints of accounts: clients that hold a binding get certificates for domains that were proved
 * beforehand, with the permissions of the binding's role. Renewal information (RFC 9773) says when to renew.
 */
import { createPublicKey, X509Certificate } from 'node:crypto'
import type * as ACM from '@aws-sdk/client-acm'
import type * as STS from '@aws-sdk/client-sts'
import { alternativeNamesIn, parseSigningRequest } from '../../engines/x509/certificate-builder.ts'
import { attributeOids, readName as readDistinguishedName } from '../../engines/x509/names.ts'
import { crlReasons, type RevocationReason } from '../../engines/x509/revocation.ts'
import { redeemSession } from '../../kernel/gate/session.ts'
import { putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import type { Api } from '../../kernel/service/api.ts'
import {
  route,
  type WebAnswer,
  type WebCall,
  type WebInput,
  type WebRoute,
  type WebSite,
} from '../../kernel/web/site.ts'
import type { Key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { approves } from './acme-domains.ts'
import { type Jwk, type Jws, parseJws, problem, publicJwk, thumbprintOf, verifyBinding, verifyJws } from './acme-jws.ts'
import { newNonce, spendNonce } from './acme-nonces.ts'
import {
  type AccountRow,
  accountKey,
  accountUrl,
  acmeUrl,
  type BindingRow,
  bindingKey,
  type DomainRow,
  domainsOf,
  type EndpointRow,
  endpoint,
  endpointPlaceKey,
  macKeyPlace,
  type OrderRow,
  orderKey,
  thumbprintKey,
} from './acme-resources.ts'
import { issueLeaf, readIssuingAuthority } from './authorities.ts'
import { checkCaa } from './domain-checks.ts'
import { type IssuedRow, issuance, issuedKey, putRevoked, recordIssued, validityMs } from './issuance.ts'
import { baseOf, readName } from './names.ts'
import { algorithmOf } from './private-keys.ts'
import { renewsAt } from './renewal-rules.ts'
import { methodsOf } from './requests.ts'
import { ACM_EVENT_SOURCE, type CertificateRow, certificate } from './resources.ts'

const acm: Api<typeof ACM> = { id: 'acm' }
const sts: Api<typeof STS> = { id: 'sts' }
const BODY_BYTES_MAX = 32_768
const ORDER_MS = 24 * 60 * 60 * 1000
const HOUR_MS = 60 * 60 * 1000
const NAMES_MAX = 100
const CONTACTS_MAX = 10
const DAY_MS = 24 * HOUR_MS

interface Called {
  readonly call: WebCall
  readonly row: EndpointRow
}

async function endpointAt(call: WebCall, id: string): Promise<EndpointRow> {
  const place = await call.unit.get<{ readonly at: Key }>(endpointPlaceKey(id))
  const row = place && (await call.unit.get<EndpointRow>(place.at))
  if (!row) throw new Fault('malformed', 'There is no such endpoint.', { status: 404 })
  return row
}

/** What every answer to a client carries. */
const headersOf = ({ call, row }: Called, more: Readonly<Record<string, string>> = {}) => ({
  'replay-nonce': newNonce(call.vault, call.now),
  link: `<${acmeUrl(row)}/directory>;rel="index"`,
  ...more,
})

const directory = route({
  method: 'GET',
  path: '/:endpoint/directory',
  event: 'GetAcmeDirectory',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path }) => {
    const row = await endpointAt(call, path['endpoint']!)
    const at = acmeUrl(row)
    return {
      json: {
        newNonce: `${at}/new-nonce`,
        newAccount: `${at}/new-account`,
        newOrder: `${at}/new-order`,
        revokeCert: `${at}/revoke-cert`,
        keyChange: `${at}/key-change`,
        renewalInfo: `${at}/renewal-info`,
        meta: { externalAccountRequired: true },
      },
    }
  },
})

const nonce = route({
  method: 'GET',
  path: '/:endpoint/new-nonce',
  event: 'GetAcmeNonce',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path }) => {
    const row = await endpointAt(call, path['endpoint']!)
    return { file: '', contentType: 'text/plain', cacheSeconds: 0, headers: headersOf({ call, row }) }
  },
})

interface Signed extends Called {
  readonly account: AccountRow
  readonly binding: BindingRow
  readonly jws: Jws
  readonly path: Readonly<Record<string, string>>
}

/** The header has to name the address that was called, and a nonce that is new. */
async function received(call: WebCall, input: WebInput, rest: string): Promise<{ row: EndpointRow; jws: Jws }> {
  const row = await endpointAt(call, input.path['endpoint']!)
  const jws = parseJws(input.bytes)
  if (jws.header.url !== `${acmeUrl(row)}${rest}`)
    throw problem('unauthorized', `The request was signed for ${jws.header.url}.`)
  await spendNonce(call.unit, call.vault, jws.header.nonce ?? '', call.now)
  call.recordIn(row.account, row.region)
  return { row, jws }
}

async function bindingOf(call: WebCall, row: EndpointRow, id: string): Promise<BindingRow> {
  const found = await call.unit.get<BindingRow>(bindingKey(row, row.id, id))
  const isOver = found?.revokedAt !== undefined || (found?.expiresAt !== undefined && found.expiresAt <= call.now)
  if (!found || isOver) throw problem('unauthorized', 'The external account binding is unknown, revoked or expired.')
  return found
}

/** A request by an account that is valid, whose binding is, too. */
async function bySigned(call: WebCall, input: WebInput, rest: string): Promise<Signed> {
  const { row, jws } = await received(call, input, rest)
  const prefix = accountUrl(row, '')
  const id = jws.header.kid?.startsWith(prefix) ? jws.header.kid.slice(prefix.length) : ''
  const account = await call.unit.get<AccountRow>(accountKey(row.id, id))
  if (!account) throw problem('accountDoesNotExist', 'Create an account first.')
  verifyJws(jws, account.jwk)
  if (account.status !== 'VALID') throw problem('unauthorized', `The account is ${account.status.toLowerCase()}.`)
  return { call, row, jws, account, binding: await bindingOf(call, row, account.bindingId), path: input.path }
}

const signedRoute = (path: string, event: string, run: (signed: Signed) => Promise<WebAnswer>): WebRoute =>
  route({
    method: 'POST',
    path: `/:endpoint${path}`,
    event,
    authentication: 'anonymous',
    body: 'bytes',
    bodyBytesMax: BODY_BYTES_MAX,
    // What the body carries proves its sender.
    crossOrigin: true,
    shown: ['endpoint'],
    run: async (call, input) => {
      const rest = path.replace(/:(\w+)/g, (_all, name: string) => input.path[name] ?? '')
      const signed = await bySigned(call, input, rest)
      const answer = await run(signed)
      recordAs(signed, event)
      return answer
    },
  })

function recordAs({ call, row, account, binding }: Signed, name: string): void {
  call.record({
    name,
    account: row.account,
    userIdentity: { type: 'AcmeAccount', principalId: account.id, accountId: row.account, arn: binding.roleArn },
    additionalEventData: { acmeEndpoint: row.id, keyThumbprint: account.thumbprint },
    isBounded: true,
  })
}

function payloadOf<T>({ payload }: Jws): Partial<T> {
  try {
    return payload.length === 0 ? {} : (JSON.parse(payload.toString('utf8')) as Partial<T>)
  } catch {
    throw problem('malformed', 'The payload is not JSON.')
  }
}

function contactsIn(contact: unknown, row: EndpointRow): readonly string[] {
  const contacts = Array.isArray(contact) ? contact.filter((each): each is string => typeof each === 'string') : []
  if (contacts.length > CONTACTS_MAX || contacts.some((each) => each.length > 254))
    throw problem('invalidContact', `An account can have ${CONTACTS_MAX} contacts.`)
  if (contacts.some((each) => !/^mailto:[^\s@,?]+@[^\s@,?]+$/.test(each)))
    throw problem('unsupportedContact', 'Contacts are mail addresses: mailto:NAME@DOMAIN.')
  if (row.contact === 'REQUIRED' && contacts.length === 0)
    throw problem('invalidContact', 'The endpoint requires a contact.')
  return contacts
}

const accountAnswer = (called: Called, account: AccountRow, status: number): WebAnswer => ({
  json: {
    status: { VALID: 'valid', DEACTIVATED: 'deactivated', REVOKED: 'revoked' }[account.status],
    contact: account.contacts,
    orders: `${accountUrl(called.row, account.id)}/orders`,
  },
  status,
  headers: headersOf(called, { location: accountUrl(called.row, account.id) }),
})

const newAccount = route({
  method: 'POST',
  path: '/:endpoint/new-account',
  event: 'CreateAcmeAccount',
  authentication: 'anonymous',
  body: 'bytes',
  bodyBytesMax: BODY_BYTES_MAX,
  crossOrigin: true,
  shown: ['endpoint'],
  run: async (call, input) => {
    const { row, jws } = await received(call, input, '/new-account')
    if (!jws.header.jwk || jws.header.kid) throw problem('malformed', 'A new account is signed by its own key, in jwk.')
    const jwk = publicJwk(jws.header.jwk)
    verifyJws(jws, jwk)
    const thumbprint = thumbprintOf(jwk)
    const known = await call.unit.get<{ readonly id: string }>(thumbprintKey(row.id, thumbprint))
    const existing = known && (await call.unit.get<AccountRow>(accountKey(row.id, known.id)))
    const wanted = payloadOf<{ contact: unknown; onlyReturnExisting: boolean; externalAccountBinding: object }>(jws)
    if (existing?.status === 'VALID') return accountAnswer({ call, row }, existing, 200)
    if (existing) throw problem('unauthorized', `The account is ${existing.status.toLowerCase()}.`)
    if (wanted.onlyReturnExisting) throw problem('accountDoesNotExist', 'No account has this key.')
    const binding = await boundBy(call, row, wanted.externalAccountBinding, jws, jwk)
    const account: AccountRow = {
      id: call.newId(),
      endpointId: row.id,
      bindingId: binding.id,
      thumbprint,
      jwk,
      contacts: contactsIn(wanted.contact, row),
      status: 'VALID',
      createdAt: call.now,
    }
    call.unit.put(accountKey(row.id, account.id), account)
    call.unit.put(thumbprintKey(row.id, thumbprint), { id: account.id })
    recordAs({ call, row, account, binding, jws, path: input.path }, 'CreateAcmeAccount')
    return accountAnswer({ call, row }, account, 201)
  },
})

async function boundBy(
  call: WebCall,
  row: EndpointRow,
  given: object | undefined,
  outer: Jws,
  jwk: Jwk,
): Promise<BindingRow> {
  if (!given) throw problem('externalAccountRequired', 'The endpoint requires an external account binding.')
  const jws = parseJws(JSON.stringify(given))
  if (jws.header.url !== outer.header.url) throw problem('malformed', 'The binding was signed for another address.')
  const binding = await bindingOf(call, row, jws.header.kid ?? '')
  const macKey = call.vault.open(macKeyPlace(binding), binding.macKey)
  if (!verifyBinding(jws, macKey, jwk)) throw problem('unauthorized', 'The binding is not signed by its MAC key.')
  const accounts = (binding.accounts ?? 0) + 1
  const quota = call.quotas['acm/AcmeAccountsPerBinding']!
  if (accounts > quota)
    throw problem('rateLimited', `The binding has ${quota} accounts already. Create another binding.`)
  call.unit.put(bindingKey(row, row.id, binding.id), {
    ...binding,
    accounts,
    lastUsedAt: call.now,
  } satisfies BindingRow)
  return binding
}

const updateAccount = signedRoute('/account/:account', 'UpdateAcmeAccount', async (signed) => {
  const { call, row, account, path, jws } = signed
  if (path['account'] !== account.id) throw problem('unauthorized', 'The account is another one.')
  const wanted = payloadOf<{ contact: unknown; status: string }>(jws)
  const changed: AccountRow = {
    ...account,
    ...(wanted.contact !== undefined && { contacts: contactsIn(wanted.contact, row) }),
    ...(wanted.status === 'deactivated' && { status: 'DEACTIVATED' as const }),
  }
  call.unit.put(accountKey(row.id, account.id), changed)
  return accountAnswer(signed, changed, 200)
})

const keyChange = signedRoute('/key-change', 'ChangeAcmeAccountKey', async (signed) => {
  const { call, row, account, jws } = signed
  const inner = parseJws(jws.payload)
  const jwk = publicJwk(inner.header.jwk ?? {})
  verifyJws(inner, jwk)
  const { account: url, oldKey } = payloadOf<{ account: string; oldKey: Jwk }>(inner)
  const isRight = inner.header.url === jws.header.url && url === accountUrl(row, account.id)
  if (!isRight || !oldKey || thumbprintOf(oldKey) !== account.thumbprint)
    throw problem('malformed', 'The inner message does not name this account and its key.')
  const thumbprint = thumbprintOf(jwk)
  if (await call.unit.get(thumbprintKey(row.id, thumbprint)))
    throw new Fault('malformed', 'Another account has this key.', { status: 409 })
  call.unit.delete(thumbprintKey(row.id, account.thumbprint))
  call.unit.put(thumbprintKey(row.id, thumbprint), { id: account.id })
  const changed: AccountRow = { ...account, jwk, thumbprint }
  call.unit.put(accountKey(row.id, account.id), changed)
  return accountAnswer(signed, changed, 200)
})

const newOrder = signedRoute('/new-order', 'CreateAcmeOrder', async (signed) => {
  const { call, row, account, jws } = signed
  const { identifiers } = payloadOf<{ identifiers: readonly { type?: string; value?: string }[] }>(jws)
  if (!Array.isArray(identifiers) || identifiers.length === 0 || identifiers.length > NAMES_MAX)
    throw problem('malformed', `An order has 1 to ${NAMES_MAX} identifiers.`)
  const names = [...new Set(identifiers.map(({ type, value }) => orderedName(type, value)))]
  if (methodsOf(row.account, 'DNS').length > 1)
    throw problem('unauthorized', 'The account demands an approval by mail for every domain.')
  const proved = (await call.unit.range<DomainRow>(domainsOf(row, row.id))).map(({ document }) => document)
  const missing = names.find((name) => !proved.some((each) => approves(each, name)))
  if (missing !== undefined)
    throw problem('rejectedIdentifier', `The endpoint has no valid domain validation that approves ${missing}.`)
  const order: OrderRow = {
    id: call.newId(),
    endpointId: row.id,
    accountId: account.id,
    names,
    status: 'ready',
    expiresAt: call.now + ORDER_MS,
  }
  putExpiring(call.unit, 'acm.forget', orderKey(row.id, order.id), order)
  return orderAnswer(signed, order, 201)
})

function orderedName(type: string | undefined, value: string | undefined): string {
  if (type !== 'dns' || typeof value !== 'string') throw problem('rejectedIdentifier', 'Identifiers are DNS names.')
  try {
    return readName(value)
  } catch {
    throw problem('rejectedIdentifier', `${value} is not a DNS name.`)
  }
}

function orderAnswer(called: Called, order: OrderRow, status: number): WebAnswer {
  const at = acmeUrl(called.row)
  return {
    json: {
      status: order.status,
      expires: new Date(order.expiresAt).toISOString(),
      identifiers: order.names.map((value) => ({ type: 'dns', value })),
      authorizations: order.names.map((_name, index) => `${at}/authz/${order.id}.${index}`),
      finalize: `${at}/order/${order.id}/finalize`,
      ...(order.certificate !== undefined && { certificate: `${at}/cert/${order.id}` }),
    },
    status,
    headers: headersOf(called, { location: `${at}/order/${order.id}` }),
  }
}

async function ownOrder({ call, row, account }: Signed, id: string): Promise<OrderRow> {
  const order = await call.unit.get<OrderRow>(orderKey(row.id, id))
  if (order?.accountId !== account.id) throw new Fault('malformed', 'There is no such order.', { status: 404 })
  return order
}

const getOrder = signedRoute('/order/:order', 'GetAcmeOrder', async (signed) =>
  orderAnswer(signed, await ownOrder(signed, signed.path['order']!), 200),
)

/** Approved beforehand: there is no challenge to meet, and one that counts as met. */
const getAuthorization = signedRoute('/authz/:authorization', 'GetAcmeAuthorization', async (signed) => {
  const [id = '', index = ''] = signed.path['authorization']!.split('.')
  const order = await ownOrder(signed, id)
  const name = order.names[Number(index)]
  if (name === undefined) throw new Fault('malformed', 'There is no such authorization.', { status: 404 })
  const url = `${acmeUrl(signed.row)}/challenge/${id}.${index}`
  return {
    json: {
      status: 'valid',
      expires: new Date(order.expiresAt).toISOString(),
      identifier: { type: 'dns', value: baseOf(name) },
      ...(name.startsWith('*.') && { wildcard: true }),
      challenges: [
        {
          type: 'dns-01',
          url,
          status: 'valid',
          token: id.replaceAll('-', ''),
          validated: new Date(signed.call.now).toISOString(),
        },
      ],
    },
    status: 200,
    headers: headersOf(signed),
  }
})

const finalize = signedRoute('/order/:order/finalize', 'FinalizeAcmeOrder', async (signed) => {
  const { call, row, jws } = signed
  const order = await ownOrder(signed, signed.path['order']!)
  if (order.status !== 'ready' || order.expiresAt <= call.now)
    throw problem('orderNotReady', `The order is ${order.status}, or too old.`)
  const { csr = '' } = payloadOf<{ csr: string }>(jws)
  const { publicKey, keyAlgorithm } = await readCsr(csr, order, row)
  await assertCaa(call, order.names)
  const at = await issueFor(signed, order, publicKey, keyAlgorithm)
  const valid: OrderRow = { ...order, status: 'valid', certificate: at }
  call.unit.put(orderKey(row.id, order.id), valid)
  return orderAnswer(signed, valid, 200)
})

async function readCsr(csr: string, order: OrderRow, row: EndpointRow) {
  let request: Awaited<ReturnType<typeof parseSigningRequest>>
  try {
    request = await parseSigningRequest(Buffer.from(csr, 'base64url'))
  } catch (error) {
    throw problem('badCSR', (error as Error).message)
  }
  const { dns, others } = alternativeNamesIn(request)
  const common = readDistinguishedName(request.subject).filter(({ oid }) => oid === attributeOids.CommonName)
  const identifiers = new Set([...dns, ...common.map(({ value }) => value)].map((name) => name.toLowerCase()))
  if (others > 0 || identifiers.size !== order.names.length || order.names.some((name) => !identifiers.has(name)))
    throw problem('badCSR', 'The request does not name exactly the identifiers of the order.')
  const keyAlgorithm = algorithmOf(createPublicKey({ key: request.publicKey, format: 'der', type: 'spki' }))
  if (!row.keyAlgorithms.some((each) => each === keyAlgorithm))
    throw problem('badCSR', `The endpoint issues for keys ${row.keyAlgorithms.join(', ')}.`)
  return { publicKey: request.publicKey, keyAlgorithm: keyAlgorithm! }
}

async function assertCaa(call: WebCall, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const context = { reader: call.unit, use: call.use }
    const { verdict, finding } = await checkCaa(context, baseOf(name), name.startsWith('*.'))
    if (verdict !== 'allowed') throw problem('unauthorized', `${name}: ${finding}.`)
  }
}

/**
 * The role of the binding requests the certificate: its trust policy lets ACM in, and its permissions decide by names and
 * tags, as if it had called RequestCertificate itself. What IAM denies ends the order.
 */
async function issueFor(
  { call, row, account, binding }: Signed,
  order: OrderRow,
  publicKey: Buffer,
  keyAlgorithm: CertificateRow['keyAlgorithm'],
): Promise<Key> {
  const session = await call.once(() => roleSession(call, row, binding, account))
  const Tags = Object.entries(row.certificateTags).map(([Key, Value]) => ({ Key, Value }))
  let arn: string
  try {
    const { CertificateArn } = await call.callAs({ ...session, region: row.region }, acm, 'RequestCertificate', {
      DomainName: order.names[0]!,
      SubjectAlternativeNames: [...order.names],
      ValidationMethod: 'DNS',
      KeyAlgorithm: keyAlgorithm,
      ...(Tags.length > 0 && { Tags }),
    })
    arn = CertificateArn!
  } catch (error) {
    if (error instanceof Fault && error.code !== 'InternalFailure') throw problem('unauthorized', error.message)
    throw error
  }
  const at = certificate.key(row, { CertificateId: arn.slice(arn.lastIndexOf('/') + 1) })
  const requested = (await call.unit.get<CertificateRow>(at))!
  const authority = (await readIssuingAuthority(call.unit, row.account, row.region))!
  const seconds = (ms: number) => Math.floor(ms / 1_000) * 1_000
  const [notBefore, notAfter] = [seconds(call.now - HOUR_MS), seconds(call.now + validityMs())]
  const origin = call.use(webOrigin).origin()
  const isRsa = keyAlgorithm.startsWith('RSA')
  const leaf = await issueLeaf(call.vault, authority, {
    names: order.names,
    publicKey,
    isRsa,
    notBefore,
    notAfter,
    origin,
  })
  issuance.leave(call.unit, at, requested)
  const { progress: _, method: __, ...rest } = requested
  const issued = issuance.enter(
    call.unit,
    at,
    {
      ...rest,
      proofs: [],
      material: { pem: leaf.pem, chain: leaf.chain, serial: leaf.serial, issuer: leaf.issuer, notBefore, notAfter },
      issuedAt: call.now,
      acme: { endpointArn: endpoint.arnOf(row, row), accountId: account.id },
    },
    'ISSUED',
    call.now,
  )
  recordIssued(call.unit, issued)
  return at
}

async function roleSession(call: WebCall, row: EndpointRow, { roleArn }: BindingRow, account: AccountRow) {
  const acting = {
    service: ACM_EVENT_SOURCE,
    account: row.account,
    region: row.region,
    source: endpoint.arnOf(row, row),
  }
  try {
    const input = { RoleArn: roleArn, RoleSessionName: `acme-${account.id}` }
    const { Credentials } = await call.actAs(acting, sts, 'AssumeRole', input)
    const { AccessKeyId, SessionToken } = Credentials!
    const { session } = redeemSession(call.vault, AccessKeyId!, SessionToken!)!
    return { session, accessKeyId: AccessKeyId! }
  } catch (error) {
    if (error instanceof Fault)
      throw problem('unauthorized', `The role of the binding cannot be assumed: ${error.message}`)
    throw error
  }
}

const getCertificate = signedRoute('/cert/:order', 'GetAcmeCertificate', async (signed) => {
  const order = await ownOrder(signed, signed.path['order']!)
  const row =
    order.certificate === undefined ? undefined : await signed.call.unit.get<CertificateRow>(order.certificate)
  if (!row?.material) throw new Fault('malformed', 'There is no such certificate.', { status: 404 })
  const { pem, chain = '' } = row.material
  return {
    file: pem + chain,
    contentType: 'application/pem-certificate-chain',
    cacheSeconds: 0,
    headers: headersOf(signed),
  }
})

/** By the account that ordered it. */
const revoke = signedRoute('/revoke-cert', 'RevokeAcmeCertificate', async (signed) => {
  const { call, row, account, jws } = signed
  const { certificate: der = '', reason = 0 } = payloadOf<{ certificate: string; reason: number }>(jws)
  let serial: string
  try {
    serial = new X509Certificate(Buffer.from(der, 'base64url')).serialNumber
  } catch {
    throw problem('malformed', 'The certificate is not valid.')
  }
  const name = (Object.keys(crlReasons) as RevocationReason[]).find((each) => crlReasons[each] === reason)
  if (!name) throw problem('badRevocationReason', `${reason} is not a reason of RFC 5280.`)
  const authority = (await readIssuingAuthority(call.unit, row.account, row.region))!
  const at = issuedKey(authority.id, serial)
  const issued = await call.unit.get<IssuedRow>(at)
  const place = issued && certificate.key(row, { CertificateId: issued.arn.slice(issued.arn.lastIndexOf('/') + 1) })
  const found = place && (await call.unit.get<CertificateRow>(place))
  if (!found || found.acme?.accountId !== account.id)
    throw problem('unauthorized', 'The account did not order this certificate.')
  if (issued.revokedAt !== undefined) throw problem('alreadyRevoked', 'The certificate is revoked already.')
  putRevoked(call.unit, authority.id, { ...issued, revokedAt: call.now, reason: name })
  issuance.leave(call.unit, place, found)
  issuance.enter(call.unit, place, { ...found, revokedAt: call.now, revocationReason: name }, 'REVOKED', call.now)
  return { json: {}, status: 200, headers: headersOf(signed) }
})

/** RFC 9773: `base64url(authority key ID).base64url(serial)`. */
const renewalInfo = route({
  method: 'GET',
  path: '/:endpoint/renewal-info/:certificate',
  event: 'GetAcmeRenewalInfo',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path }) => {
    const row = await endpointAt(call, path['endpoint']!)
    const [, serial = ''] = path['certificate']!.split('.')
    const authority = await readIssuingAuthority(call.unit, row.account, row.region)
    const hex = Buffer.from(serial, 'base64url')
      .toString('hex')
      .replace(/^0+(?=.)/, '')
    const issued = authority && (await call.unit.get<IssuedRow>(issuedKey(authority.id, hex)))
    if (!issued) throw new Fault('malformed', 'There is no such certificate.', { status: 404 })
    const start = issued.revokedAt ?? renewsAt({ notBefore: issued.notAfter - validityMs(), notAfter: issued.notAfter })
    const window = { start: new Date(start).toISOString(), end: new Date(start + DAY_MS).toISOString() }
    return { json: { suggestedWindow: window }, headers: { 'retry-after': '21600' } }
  },
})

export const acmeSite: WebSite = {
  service: 'acm',
  eventSource: ACM_EVENT_SOURCE,
  base: '/acme',
  listener: 'api',
  routes: [
    directory,
    nonce,
    newAccount,
    updateAccount,
    keyChange,
    newOrder,
    getOrder,
    getAuthorization,
    finalize,
    getCertificate,
    revoke,
    renewalInfo,
  ],
  printFault: ({ code, message, status }) => ({
    json: {
      type: `urn:ietf:params:acme:error:${code === 'InternalFailure' ? 'serverInternal' : code}`,
      detail: message,
      status,
    },
    contentType: 'application/problem+json',
    status,
  }),
}
