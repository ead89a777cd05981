/** Orders of ACME clients (RFC 8555 §7.4): for domains that were proved beforehand, with the permissions of the binding's role. */
import { createPublicKey } from 'node:crypto'
import type * as ACM from '@aws-sdk/client-acm'
import type * as STS from '@aws-sdk/client-sts'
import { alternativeNamesIn, parseSigningRequest } from '../../engines/x509/certificate-builder.ts'
import { attributeOids, readName as readDistinguishedName } from '../../engines/x509/names.ts'
import { redeemSession } from '../../kernel/gate/session.ts'
import { putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { WebAnswer, WebCall } from '../../kernel/web/site.ts'
import type { Key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { approves } from './acme-domains.ts'
import { problem } from './acme-jws.ts'
import { markReplaced, replacedCertificate } from './acme-replacements.ts'
import { type Called, headersOf, payloadOf, type Signed, signedRoute } from './acme-requests.ts'
import {
  type AccountRow,
  acmeUrl,
  type BindingRow,
  type DomainRow,
  domainsOf,
  type EndpointRow,
  endpoint,
  type OrderRow,
  orderKey,
} from './acme-resources.ts'
import { readIssuingAuthority } from './authorities.ts'
import { checkCaa } from './domain-checks.ts'
import { issuance, recordIssued, validityMs } from './issuance.ts'
import { issueLeaf } from './leaves.ts'
import { baseOf, readName } from './names.ts'
import { algorithmOf } from './private-keys.ts'
import { methodsOf } from './requests.ts'
import { ACM_EVENT_SOURCE, type CertificateRow, certificate } from './resources.ts'

const acm: Api<typeof ACM> = { id: 'acm' }
const sts: Api<typeof STS> = { id: 'sts' }
const ORDER_MS = 24 * 60 * 60 * 1000
const HOUR_MS = 60 * 60 * 1000
const NAMES_MAX = 100

export const newOrder = signedRoute('/new-order', 'CreateAcmeOrder', async (signed) => {
  const { call, row, account, jws } = signed
  const { identifiers, replaces } = payloadOf<{
    identifiers: readonly { type?: string; value?: string }[]
    replaces: string
  }>(jws)
  if (!Array.isArray(identifiers) || identifiers.length === 0 || identifiers.length > NAMES_MAX)
    throw problem('malformed', `An order has 1 to ${NAMES_MAX} identifiers.`)
  const names = [...new Set(identifiers.map(({ type, value }) => orderedName(type, value)))]
  if (methodsOf(row.account, 'DNS').length > 1)
    throw problem('unauthorized', 'The account demands an approval by mail for every domain.')
  const proved = (await call.unit.range<DomainRow>(domainsOf(row, row.id))).map(({ document }) => document)
  const missing = names.find((name) => !proved.some((each) => approves(each, name)))
  if (missing !== undefined)
    throw problem('rejectedIdentifier', `The endpoint has no valid domain validation that approves ${missing}.`)
  const replaced = replaces === undefined ? undefined : await replacedCertificate(call, row, account, names, replaces)
  const order: OrderRow = {
    id: call.newId(),
    endpointId: row.id,
    accountId: account.id,
    names,
    status: 'ready',
    expiresAt: call.now + ORDER_MS,
    ...(replaces !== undefined && replaced !== undefined && { replaces: { id: replaces, at: replaced } }),
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
      ...(order.replaces && { replaces: order.replaces.id }),
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

export const getOrder = signedRoute('/order/:order', 'GetAcmeOrder', async (signed) =>
  orderAnswer(signed, await ownOrder(signed, signed.path['order']!), 200),
)

/** Approved beforehand: there is no challenge to meet, and one that counts as met. */
export const getAuthorization = signedRoute('/authz/:authorization', 'GetAcmeAuthorization', async (signed) => {
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

export const finalize = signedRoute('/order/:order/finalize', 'FinalizeAcmeOrder', async (signed) => {
  const { call, row, jws } = signed
  const order = await ownOrder(signed, signed.path['order']!)
  if (order.status !== 'ready' || order.expiresAt <= call.now)
    throw problem('orderNotReady', `The order is ${order.status}, or too old.`)
  const { csr = '' } = payloadOf<{ csr: string }>(jws)
  const { publicKey, keyAlgorithm } = await readCsr(csr, order, row)
  await assertCaa(call, order.names)
  const at = await issueFor(signed, order, publicKey, keyAlgorithm)
  if (order.replaces) await markReplaced(call, order.replaces.at)
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

export const getCertificate = signedRoute('/cert/:order', 'GetAcmeCertificate', async (signed) => {
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
