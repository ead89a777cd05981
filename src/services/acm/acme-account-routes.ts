/** Accounts of ACME clients as the protocol has them (RFC 8555 §7.3): created with a binding, changed, deactivated. */
import { route, type WebAnswer, type WebCall } from '../../kernel/web/site.ts'
import { Fault } from '../../wire/fault.ts'
import { type Jwk, type Jws, parseJws, problem, publicJwk, thumbprintOf, verifyBinding, verifyJws } from './acme-jws.ts'
import {
  BODY_BYTES_MAX,
  bindingOf,
  type Called,
  headersOf,
  payloadOf,
  received,
  recordAs,
  signedRoute,
} from './acme-requests.ts'
import {
  type AccountRow,
  accountKey,
  accountUrl,
  type BindingRow,
  bindingKey,
  type EndpointRow,
  macKeyPlace,
  thumbprintKey,
} from './acme-resources.ts'

const CONTACTS_MAX = 10

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

export const newAccount = route({
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

export const updateAccount = signedRoute('/account/:account', 'UpdateAcmeAccount', async (signed) => {
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

export const keyChange = signedRoute('/key-change', 'ChangeAcmeAccountKey', async (signed) => {
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
