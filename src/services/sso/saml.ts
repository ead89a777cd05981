/**
 * `/start/saml`: the identity provider of SAML applications. A person begins at the application, which sends a request by
 * redirect or by form, or at the portal. The answer is a form that the browser posts to the application.
 */
import { randomUUID } from 'node:crypto'
import type { AuthnRequest, PostMessage, RedirectMessage } from '../../engines/saml/authn-request.ts'
import { identityProviderMetadata } from '../../engines/saml/idp-metadata.ts'
import { issueRefusal, issueResponse } from '../../engines/saml/issue.ts'
import { BINDING, STATUS } from '../../engines/saml/names.ts'
import { valuesOf } from '../../kernel/identity-center-attributes.ts'
import { spend } from '../../kernel/jobs/expiring-row.ts'
import type { PortalSession } from '../../kernel/portal-sessions.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import {
  type AttributeFormat,
  type NameIdFormat,
  type SamlApplication,
  type SamlSettings,
  samlApplications,
} from '../../kernel/ports/saml-applications.ts'
import { ssoInstances } from '../../kernel/ports/sso-instances.ts'
import {
  route,
  type WebAnswer,
  type WebCall,
  type WebInput,
  type WebRoute,
  type WebSite,
} from '../../kernel/web/site.ts'
import { key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { faultPage, samlPostPage } from './pages.ts'
import { type SignedIn, signedIn } from './roles.ts'
import { portalScheme } from './session.ts'
import { openTicket, sealTicket } from './ticket.ts'

/** In documents that wait: never change it. */
export const FORGET_REQUEST = 'sso.forget-saml-request'
const FORM_BYTES_MAX = 96 * 1024
const RELAY_STATE_CHARS_MAX = 1_000
/** How old a request may be, and how far clocks may differ. */
const WINDOW_MS = 5 * 60_000
const PASSWORD_PROTECTED = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport'

const NAME_ID: Readonly<Record<NameIdFormat, string>> = {
  emailAddress: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
  unspecified: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
}
const attributeFormat = (format: AttributeFormat): string => `urn:oasis:names:tc:SAML:2.0:attrname-format:${format}`

/** What remains of a request once it is checked. */
interface Begun {
  readonly id: string
  readonly acs: string
  readonly relayState?: string | undefined
  readonly isForced: boolean
  readonly isPassive: boolean
  /** Epoch milliseconds. */
  readonly receivedAt: number
}

interface Application extends SamlApplication {
  readonly settings: SamlSettings
}

type Call = Pick<WebCall<unknown>, 'unit' | 'use' | 'now' | 'vault' | 'webOrigin' | 'event'>

const refused = (message: string): Fault => new Fault('BadRequest', message, { status: 400 })
const missing = (): Fault => new Fault('NotFound', 'There is no application at this address.', { status: 404 })

const pathOf = ({ instance, id }: SamlApplication): string => `/start/saml/${instance.id}/${id}`

/** The entity ID, and the address of the sign-on endpoint. */
const entityOf = (call: Pick<Call, 'webOrigin'>, application: SamlApplication): string =>
  `${call.webOrigin}${pathOf(application)}`

async function applicationAt(call: Pick<Call, 'unit' | 'use'>, { path }: WebInput): Promise<Application> {
  const found = await call.use(samlApplications).findAt(call.unit, path['instance']!, path['application']!)
  if (!found?.settings || !found.isEnabled) throw missing()
  return { ...found, settings: found.settings }
}

/** Throws a page for a request that is not the application's: nothing of it is used, not even where to answer. */
async function begin(
  call: WebCall<unknown>,
  application: Application,
  sent: RedirectMessage | PostMessage,
  relayState: string | undefined,
): Promise<Begun> {
  // XML signatures are much code, which few servers ever need.
  const { readAuthnRequest } = await import('../../engines/saml/authn-request.ts')
  let request: AuthnRequest
  try {
    request = readAuthnRequest(sent, application.settings.requestCertificates)
  } catch (error) {
    if (!(error instanceof Error && error.name === 'SamlRefusal')) throw error
    throw refused(`The request of the application is refused: ${error.message}.`)
  }
  const { settings } = application
  if (request.issuer !== settings.audience)
    throw refused('The request is not of this application: its issuer is another one.')
  if (settings.isSignedRequestRequired && !request.isSigned)
    throw refused('The application must sign its requests, and this one is not signed.')
  const isForUs = request.destination === entityOf(call, application)
  if (!isForUs && (request.isSigned || request.destination !== undefined))
    throw refused('The request is for another destination.')
  if (Math.abs(call.now - request.issuedAt) > WINDOW_MS)
    throw refused('The request has expired, or a clock is wrong. Start again at the application.')
  if (request.protocolBinding !== undefined && request.protocolBinding !== BINDING.post)
    throw refused('The application requests an answer by another binding than HTTP-POST.')
  if ((relayState?.length ?? 0) > RELAY_STATE_CHARS_MAX)
    throw refused(`RelayState has more than ${RELAY_STATE_CHARS_MAX} characters.`)
  return {
    id: request.id,
    acs: acsOf(settings, request),
    relayState,
    isForced: request.isForced,
    isPassive: request.isPassive,
    receivedAt: call.now,
  }
}

/** Only addresses that are configured: the request may be anyone's. */
function acsOf({ acs }: SamlSettings, { acsUrl, acsIndex }: AuthnRequest): string {
  const found =
    acsUrl !== undefined
      ? acs.find(({ url }) => url === acsUrl)
      : acsIndex !== undefined
        ? acs.find(({ index }) => index === acsIndex)
        : acs[0]
  if (!found) throw refused('The request names an assertion consumer service that is not configured.')
  return found.url
}

/** A request is not secret, and anyone may send one: its ticket is bound to the application alone. */
const ticketOf = (call: Call, application: Application, begun: Begun): string =>
  sealTicket(call.vault, 'saml', { boundTo: application.arn, now: call.now }, begun)

const responseId = (): string => `_${randomUUID()}`

async function answer(
  call: WebCall<PortalSession | undefined>,
  application: Application,
  begun: Begun | undefined,
): Promise<WebAnswer> {
  const found = call.claims && (await signedIn(call, call.claims))
  const person = found?.instance.id === application.instance.id ? found : undefined
  const isFresh = person !== undefined && !(begun?.isForced && person.session.startedAt < begun.receivedAt)
  if (person && isFresh) return federate(call, application, begun, person)
  call.event.isUnrecorded = true
  if (begun?.isPassive) return noPassive(call, application, begun)
  const ticket = begun ? `?${new URLSearchParams({ ticket: ticketOf(call, application, begun) })}` : ''
  const query = new URLSearchParams({ redirect: pathOf(application) + ticket, store: application.instance.storeId })
  if (begun?.isForced) query.set('again', 'true')
  return { redirect: `/start/sign-in?${query}` }
}

async function federate(
  call: WebCall<PortalSession | undefined>,
  application: Application,
  begun: Begun | undefined,
  person: SignedIn,
): Promise<WebAnswer> {
  const { settings, arn, instance } = application
  const people = call.use(identityStore)
  call.event.resources = [{ arn, type: 'AWS::SSO::Application', account: instance.account }]
  call.event.additionalEventData = {
    application: application.name,
    audience: settings.audience,
    startedAt: begun ? 'SERVICE_PROVIDER' : 'IDENTITY_PROVIDER',
  }
  if (!(await call.use(ssoInstances).mayUse({ reader: call.unit, people }, arn, person.user.id)))
    throw new Fault('AccessDenied', `The application ${application.name} is not assigned to you.`, { status: 403 })
  if (begun && !(await isFirstAnswer(call, application, begun)))
    throw refused('The request was answered already. Start again at the application.')
  const groups = await people.groupsOf(call.unit, instance.storeId, person.user.id)
  const values = (source: string) => valuesOf(source, person.user, groups)
  const isTransient = settings.subject.format === 'transient'
  const [subject] = isTransient ? [responseId()] : values(settings.subject.source)
  if (subject === undefined)
    throw refused(
      `You have no value of ${settings.subject.source}, by which ${application.name} knows you. Contact your administrator.`,
    )
  const acs = begun?.acs ?? settings.acs[0]!.url
  const xml = await issueResponse(
    {
      id: responseId(),
      assertionId: responseId(),
      issuer: entityOf(call, application),
      destination: acs,
      audience: settings.audience,
      inResponseTo: begun?.id,
      now: call.now,
      subject: { value: subject, format: NAME_ID[settings.subject.format] },
      attributes: settings.attributes
        .map(({ name, source, format }) => ({ name, format: attributeFormat(format), values: values(source) }))
        .filter((attribute) => attribute.values.length > 0),
      session: {
        index: responseId(),
        authenticatedAt: person.session.startedAt,
        endsAt: person.session.expiresAt,
        context: PASSWORD_PROTECTED,
      },
    },
    application.signer(call.vault),
  )
  return posted(application, acs, xml, begun ? begun.relayState : settings.relayState)
}

/** Each request is answered once, so that a request that was recorded signs no other person in. */
const isFirstAnswer = (call: Call, { id, instance }: Application, begun: Begun): Promise<boolean> =>
  spend(call.unit, key('sso', 'saml-request', instance.id, id, begun.id), {
    // By then its ticket has expired, too.
    until: begun.receivedAt + 4 * WINDOW_MS,
    kind: FORGET_REQUEST,
  })

async function noPassive(call: Call, application: Application, begun: Begun): Promise<WebAnswer> {
  const xml = await issueRefusal(
    {
      id: responseId(),
      issuer: entityOf(call, application),
      destination: begun.acs,
      inResponseTo: begun.id,
      now: call.now,
      codes: [STATUS.responder, STATUS.noPassive],
      message: 'The person is not signed in.',
    },
    application.signer(call.vault),
  )
  return posted(application, begun.acs, xml, begun.relayState)
}

const posted = ({ name }: Application, acs: string, xml: string, relayState: string | undefined): WebAnswer => ({
  page: samlPostPage({ name, acs, response: Buffer.from(xml, 'utf8').toString('base64'), relayState }),
  // Applications redirect from here to where their pages are, and browsers check redirects of forms, too.
  formAction: [new URL(acs).origin, 'https:'],
})

const PATH = '/:instance/:application'

const metadata: WebRoute = route({
  method: 'GET',
  path: `${PATH}/metadata`,
  event: 'GetSamlMetadata',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, input) => {
    const found = await call
      .use(samlApplications)
      .findAt(call.unit, input.path['instance']!, input.path['application']!)
    if (!found) throw missing()
    const entityId = entityOf(call, found)
    const [active, ...others] = [...found.certificates].sort((a, b) => Number(b.isActive) - Number(a.isActive))
    return {
      file: identityProviderMetadata({
        entityId,
        signOnUrl: entityId,
        certificates: [active!, ...others].map(({ certificate }) => certificate),
        nameIdFormat: NAME_ID[found.settings?.subject.format ?? 'unspecified'],
        isSignedRequestRequired: found.settings?.isSignedRequestRequired ?? false,
      }),
      contentType: 'application/samlmetadata+xml',
      cacheSeconds: 0,
    }
  },
})

const byRedirect: WebRoute = route<PortalSession>({
  method: 'GET',
  path: PATH,
  event: 'Federate',
  authentication: 'optional-session',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, input) => {
    const application = await applicationAt(call, input)
    const { SAMLRequest: message, RelayState, ticket } = input.query
    if (message === undefined && ticket === undefined) return answer(call, application, undefined)
    const begun =
      message === undefined
        ? openTicket<Begun>(call.vault, 'saml', ticket, { boundTo: application.arn, now: call.now })
        : await begin(call, application, { binding: 'redirect', message, rawQuery: input.rawQuery }, RelayState)
    return answer(call, application, begun)
  },
})

/** Browsers send no cookie with a form of another site: the session is read after a redirect. */
const byForm: WebRoute = route({
  method: 'POST',
  path: PATH,
  event: 'Federate',
  authentication: 'anonymous',
  body: 'form',
  bodyBytesMax: FORM_BYTES_MAX,
  crossOrigin: true,
  shown: [],
  run: async (call, input) => {
    const application = await applicationAt(call, input)
    call.recordIn(application.instance.account, application.instance.region)
    const { SAMLRequest: message = '', RelayState } = input.form
    const begun = await begin(call, application, { binding: 'post', message }, RelayState)
    call.event.isUnrecorded = true
    const ticket = ticketOf(call, application, begun)
    return { redirect: `${pathOf(application)}?${new URLSearchParams({ ticket })}` }
  },
})

const continueScript: WebRoute = route({
  method: 'GET',
  path: '/continue.js',
  event: 'GetScript',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: () => ({
    file: "document.querySelector('form[data-continue]').submit()\n",
    contentType: 'text/javascript; charset=utf-8',
    cacheSeconds: 3600,
  }),
})

export const samlSite: WebSite = {
  service: 'sso',
  eventSource: 'sso.amazonaws.com',
  base: '/start/saml',
  session: portalScheme,
  contentSecurityPolicy: { 'script-src': "'self'" },
  printFault: faultPage,
  routes: [continueScript, metadata, byRedirect, byForm],
}
