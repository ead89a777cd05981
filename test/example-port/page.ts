/** A public page: whether a domain has a renewed certificate. */
import { html } from '../../src/kernel/web/html.ts'
import { route, type WebSite } from '../../src/kernel/web/site.ts'
import { certificateDomains } from './port.ts'

export const statusSite: WebSite = {
  service: 'acm',
  base: '/certificates',
  routes: [
    route({
      method: 'GET',
      path: '/:account/:domain',
      event: 'GetCertificateStatus',
      authentication: 'anonymous',
      body: 'none',
      bodyBytesMax: 0,
      shown: ['account', 'domain'],
      run: async (call, { path: { account = '', domain = '' } }) => {
        const scope = { partition: 'aws', region: 'us-east-1', account }
        const id = await call.use(certificateDomains).idOf(call.unit, scope, domain)
        return { page: html`<title>${domain}</title><p>${id ?? 'No certificate'}</p>`, status: id ? 200 : 404 }
      },
    }),
  ],
}
