/**
 * ACME (RFC 8555) for the endpoints of accounts: clients that hold a binding get certificates for domains that were proved
 * beforehand, with the permissions of the binding's role. Renewal information (RFC 9773) says when to renew.
 */
import { route, type WebSite } from '../../kernel/web/site.ts'
import { keyChange, newAccount, updateAccount } from './acme-account-routes.ts'
import { renewalInfo, revoke } from './acme-certificate-routes.ts'
import { finalize, getAuthorization, getCertificate, getOrder, newOrder } from './acme-order-routes.ts'
import { endpointAt, headersOf } from './acme-requests.ts'
import { acmeUrl } from './acme-resources.ts'
import { ACM_EVENT_SOURCE } from './resources.ts'

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
