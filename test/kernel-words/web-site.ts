/** The page on which an administrator approves a certificate with the code of the mail. */
import { html } from '../../src/kernel/web/html.ts'
import { route, type WebCall, type WebSite } from '../../src/kernel/web/site.ts'
import { Fault } from '../../src/wire/fault.ts'
import { requireCode } from './failure-budget.ts'
import { issuance } from './lifecycle.ts'
import { type CertificateRow, keyOf } from './resource.ts'

const path = '/:account/:region/:id'

async function rowOf({ unit }: WebCall, { account = '', region = '', id = '' }: Readonly<Record<string, string>>) {
  const row = await unit.get<CertificateRow>(keyOf({ account, region, id }))
  if (!row) throw new Fault('NotFound', 'There is no such certificate.', { status: 404 })
  return row
}

export const approvalSite: WebSite = {
  service: 'acm',
  base: '/approvals',
  routes: [
    route({
      method: 'GET',
      path,
      event: 'GetApproval',
      authentication: 'anonymous',
      body: 'none',
      bodyBytesMax: 0,
      shown: ['account', 'id'],
      run: async (call, { path, csrf }) => {
        const { domain } = await rowOf(call, path)
        return {
          page: html`<title>${domain}</title><form method="post"><input type="hidden" name="csrf" value="${csrf}"><input name="code"><button>Approve</button></form>`,
        }
      },
    }),
    route({
      method: 'POST',
      path,
      event: 'ApproveCertificate',
      authentication: 'anonymous',
      body: 'form',
      bodyBytesMax: 1_024,
      shown: ['account', 'id'], // never the code
      run: async (call, { path, form: { code = '' } }) => {
        const row = await rowOf(call, path)
        call.recordIn(row.account, row.region)
        await requireCode(call.checkSecret, row, code)
        issuance.hurry(call.unit, keyOf(row), { ...row, isApproved: true }, call.now)
        return { page: html`<title>Approved</title><p>${row.domain} is approved.</p>` }
      },
    }),
  ],
}
