/**
 * `/start/sign-in/saml`: people whose identity source is an external SAML provider sign in there. They must be in the
 * directory already, usually by SCIM: the subject of the assertion is the user name.
 */
import { element } from '../../engines/saml/canonical-writer.ts'
import { BINDING, METADATA, PROTOCOL } from '../../engines/saml/names.ts'
import {
  beginSaml,
  openAnswer,
  openPending,
  type SamlParty,
  sealAnswer,
  verifiedIdentity,
} from '../../kernel/federation/saml-sign-in.ts'
import { type IdentityStoreFacts, identityStore } from '../../kernel/ports/identity-store.ts'
import { type ExternalSource, type SamlSource, ssoInstances } from '../../kernel/ports/sso-instances.ts'
import { route, type WebCall, type WebInput, type WebRoute } from '../../kernel/web/site.ts'
import { key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'

/** In documents that wait: never change it. */
export const FORGET_ASSERTION = 'sso.forget-assertion'
/** A response of 100,000 characters, percent-encoded. */
const RESPONSE_BYTES_MAX = 384 * 1024

interface Carried {
  readonly redirect: string
}

export interface ProvedPerson extends Carried {
  readonly userId: string
}

const missing = (): Fault => new Fault('NotFound', 'There is no portal at this address.', { status: 404 })

const pathOf = (storeId: string): string => `/start/sign-in/saml/${storeId}`

function partyOf({ webOrigin }: Pick<WebCall, 'webOrigin'>, storeId: string): SamlParty {
  const entityId = `${webOrigin}${pathOf(storeId)}`
  return {
    id: storeId,
    purpose: 'web-session',
    entityId,
    acs: `${entityId}/acs`,
    spentKey: (id) => key('sso', 'saml-assertion', storeId, id),
    forget: FORGET_ASSERTION,
  }
}

/** undefined where people of the directory sign in with its own passwords. */
export const sourceOf = (call: WebCall, { instanceArn }: IdentityStoreFacts): Promise<ExternalSource | undefined> =>
  call.use(ssoInstances).externalSource(call.unit, instanceArn)

export const samlIn = (source: ExternalSource | undefined): SamlSource | undefined =>
  source && 'metadata' in source ? source : undefined

export const beginAtSource = (
  call: WebCall,
  store: IdentityStoreFacts,
  { metadata }: SamlSource,
  { redirect, csrf, isForced }: { readonly redirect: string; readonly csrf: string; readonly isForced: boolean },
): Promise<string> => beginSaml(call, partyOf(call, store.id), metadata, { carried: { redirect }, csrf, isForced })

async function storeAt(call: WebCall, { path }: WebInput): Promise<IdentityStoreFacts> {
  const store = await call.use(identityStore).find(call.unit, path['store']!)
  if (!store) throw missing()
  call.recordIn(store.account, store.region)
  return store
}

const patterns = { store: /^d-[0-9a-f]{10}$/ }

/** What the identity provider reads. */
const metadataRoute: WebRoute = route({
  method: 'GET',
  path: '/saml/:store',
  patterns,
  event: 'GetSamlMetadata',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: (call, { path }) => {
    const { entityId, acs } = partyOf(call, path['store']!)
    const file = element(
      'md:EntityDescriptor',
      { 'xmlns:md': METADATA, entityID: entityId },
      element(
        'md:SPSSODescriptor',
        { AuthnRequestsSigned: 'false', WantAssertionsSigned: 'true', protocolSupportEnumeration: PROTOCOL },
        element('md:AssertionConsumerService', { Binding: BINDING.post, Location: acs, index: '0', isDefault: 'true' }),
      ),
    )
    return { file, contentType: 'application/samlmetadata+xml', cacheSeconds: 0 }
  },
})

const answerRoute: WebRoute = route({
  method: 'POST',
  path: '/saml/:store/acs',
  patterns,
  event: 'UserAuthentication',
  authentication: 'anonymous',
  body: 'form',
  bodyBytesMax: RESPONSE_BYTES_MAX,
  crossOrigin: true,
  shown: [],
  run: async (call, input) => {
    const store = await storeAt(call, input)
    const source = samlIn(await sourceOf(call, store))
    if (!source) throw missing()
    const party = partyOf(call, store.id)
    const pending = openPending<Carried>(call, party, input.form['RelayState'])
    const { subject } = await verifiedIdentity(call, party, pending, source.metadata, input.form['SAMLResponse'])
    const user = await call.use(identityStore).userByName(call.unit, store.id, subject)
    if (!user?.isEnabled)
      throw new Fault('AccessDenied', 'You have no access to this portal. Contact your administrator.', { status: 403 })
    // The sign-in is recorded when the browser that began comes for it.
    call.event.isUnrecorded = true
    const proved: ProvedPerson = { userId: user.id, redirect: pending.content.redirect }
    const ticket = sealAnswer(call, party, pending, proved)
    return { redirect: `${pathOf(store.id)}/acs?${new URLSearchParams({ ticket })}` }
  },
})

/** `complete` opens the session. */
export const externalSourceRoutes = (
  complete: (call: WebCall, store: IdentityStoreFacts, proved: ProvedPerson) => ReturnType<WebRoute['run']>,
): readonly WebRoute[] => [
  metadataRoute,
  answerRoute,
  route({
    method: 'GET',
    path: '/saml/:store/acs',
    patterns,
    event: 'UserAuthentication',
    authentication: 'anonymous',
    body: 'none',
    bodyBytesMax: 0,
    shown: [],
    run: async (call, input) => {
      const store = await storeAt(call, input)
      if (!samlIn(await sourceOf(call, store))) throw missing()
      const proved = await openAnswer<ProvedPerson>(call, partyOf(call, store.id), input.query['ticket'], input.csrf)
      return complete(call, store, proved)
    },
  }),
]
