/**
 * `/saml`: people whom a SAML identity provider has authenticated choose one of the roles in its response. The session
 * comes from AssumeRoleWithSAML, which takes each response once.
 */
import type * as STS from '@aws-sdk/client-sts'
import { type SamlSignIn, type SamlSignInRole, samlSignIn } from '../../kernel/ports/saml-sign-in.ts'
import type { Api } from '../../kernel/service/api.ts'
import { route, type WebAnswer, type WebCall, type WebInput, type WebRoute } from '../../kernel/web/site.ts'
import { Fault } from '../../wire/fault.ts'
import { federatedClaims, identityOf, rolePrincipal } from './claims.ts'
import { consoleLogin } from './events.ts'
import { page, problem } from './pages.ts'
import { ownAddress } from './redirect.ts'
import { rolesPage } from './roles-page.ts'
import { post } from './web.ts'

const sts: Api<typeof STS> = { id: 'sts' }
/** A response of 100,000 characters, percent-encoded. */
const RESPONSE_BYTES_MAX = 384 * 1024
const REGION = 'us-east-1'

type Verified = Extract<SamlSignIn, { readonly outcome: 'verified' }>
type Anonymous = WebCall<undefined>

const received = (path: string): WebRoute =>
  post(
    path,
    'ConsoleLogin',
    async (call, { form, csrf, path: { id } }) => {
      const response = form['SAMLResponse'] ?? ''
      const found = await call.use(samlSignIn).inspect({ response, webOrigin: call.webOrigin, providerId: id })
      if (found.outcome === 'refused') return refusedPage(found.message)
      const relayState = form['RelayState']
      const [only] = found.roles
      if (found.roles.length === 1 && only) return signedIn(call, found, only, response, relayState)
      return { page: choice(found, { csrf, response, relayState, id }) }
    },
    { bodyBytesMax: RESPONSE_BYTES_MAX, crossOrigin: true },
  )

export const samlRoutes: readonly WebRoute[] = [
  received(''),
  received('/acs/:id'),
  post(
    '/role',
    'ConsoleLogin',
    async (call, { form }) => {
      const { response = '', role, relayState, id } = form
      const found = await call.use(samlSignIn).inspect({ response, webOrigin: call.webOrigin, providerId: id })
      if (found.outcome === 'refused') return refusedPage(found.message)
      const chosen = found.roles.find(({ roleArn }) => roleArn === role)
      return chosen
        ? signedIn(call, found, chosen, response, relayState)
        : refusedPage('The response does not have this role.')
    },
    { bodyBytesMax: RESPONSE_BYTES_MAX },
  ),
  metadata('/metadata'),
  metadata('/metadata/:id'),
]

function choice(
  found: Verified,
  fields: { csrf: string; response: string; relayState: string | undefined; id: string | undefined },
) {
  const roles = found.roles.map(({ roleArn, roleName, accountId, accountName, accountAlias }) => ({
    arn: roleArn,
    name: roleName,
    accountId,
    accountName: accountAlias ?? accountName,
  }))
  return rolesPage({ action: '/saml/role', fields, roles })
}

async function signedIn(
  call: Anonymous,
  found: Verified,
  role: SamlSignInRole,
  response: string,
  relayState: string | undefined,
): Promise<WebAnswer> {
  const { remoteAddress, userAgent, webOrigin } = call
  const client = { remoteAddress, userAgent, isSecure: webOrigin.startsWith('https:') }
  const acting = {
    service: 'signin.amazonaws.com',
    account: role.accountId,
    region: REGION,
    source: role.roleArn,
    client,
  }
  const input = {
    RoleArn: role.roleArn,
    PrincipalArn: role.providerArn,
    SAMLAssertion: response,
    ...(found.duration !== undefined && { DurationSeconds: found.duration }),
  }
  let assumed: STS.AssumeRoleWithSAMLResponse
  try {
    // In a commit of its own, once: it spends the response.
    assumed = await call.once(() => call.actAs(acting, sts, 'AssumeRoleWithSAML', input))
  } catch (error) {
    if (error instanceof Fault && error.code !== 'InternalFailure' && error.code !== 'ServiceUnavailable')
      return refusedPage(error.message)
    throw error
  }
  const principal = rolePrincipal(call.vault, role.roleArn, assumed)
  const to = ownAddress(relayState, webOrigin)
  const identity = identityOf(principal)
  consoleLogin(call, { account: role.accountId, identity, to, samlProviderArn: role.providerArn })
  return { redirect: to, session: await federatedClaims(call.unit, `saml/${found.principalId}`, principal) }
}

const refusedPage = (message: string): WebAnswer => ({
  status: 403,
  page: page({ title: 'Sign-in was refused', content: problem(message)! }),
})

/** What identity providers read. Source: OASIS, SAML 2.0 Metadata, section 2.4.4. */
function metadata(path: string): WebRoute {
  return route({
    method: 'GET',
    path,
    event: 'GetSamlMetadata',
    authentication: 'document',
    body: 'none',
    bodyBytesMax: 0,
    shown: [],
    run: ({ webOrigin }, { path: { id } }: WebInput) => {
      if (id !== undefined && !/^[\w-]{1,64}$/.test(id)) throw new Fault('NotFound', 'Not found.', { status: 404 })
      const location = `${webOrigin}/saml${id === undefined ? '' : `/acs/${id}`}`.replace(/[<>&"]/g, '')
      const attribute = (name: string, friendlyName: string) =>
        `<RequestedAttribute isRequired="true" Name="https://aws.amazon.com/SAML/Attributes/${name}" FriendlyName="${friendlyName}"/>`
      const text = `<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:amazon:webservices">
<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true">
<NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</NameIDFormat>
<NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>
<NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>
<AssertionConsumerService index="1" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${location}"/>
<AttributeConsumingService index="1"><ServiceName xml:lang="en">Merlon</ServiceName>
${attribute('Role', 'RoleEntitlement')}
${attribute('RoleSessionName', 'RoleSessionName')}
</AttributeConsumingService></SPSSODescriptor></EntityDescriptor>
`
      return { file: text, contentType: 'application/samlmetadata+xml', cacheSeconds: 0 }
    },
  })
}
