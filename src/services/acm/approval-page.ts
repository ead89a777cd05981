/** The page behind the link of a validation mail. */
import { type Html, html } from '../../kernel/web/html.ts'
import { route, type WebAnswer, type WebCall, type WebSite } from '../../kernel/web/site.ts'
import { APPROVAL_BASE, approvalKey, readApproval } from './approvals.ts'
import { issuance } from './issuance.ts'
import { ACM_EVENT_SOURCE, type CertificateRow } from './resources.ts'

const FORM_BYTES_MAX = 2_048

const page = (title: string, body: Html): Html =>
  html`<html lang="en"><head><meta charset="utf-8"><title>${title}</title><meta name="viewport" content="width=device-width"></head><body><main><h1>${title}</h1>${body}</main></body></html>`

const gone: WebAnswer = {
  page: page(
    'This link is no longer valid',
    html`<p>It was used before, it is older than 72 hours, or the request was withdrawn. The requester can have the messages sent again.</p>`,
  ),
  status: 410,
}

function recorded(call: WebCall, row: CertificateRow, name: string, mailbox: string): void {
  call.record({
    name,
    account: row.account,
    userIdentity: { type: 'Unknown', principalId: mailbox, accountId: row.account },
    additionalEventData: { certificateId: row.id, domainName: row.domain },
    isBounded: true,
  })
}

const show = route({
  method: 'GET',
  path: '/:token',
  event: 'ViewCertificateApproval',
  authentication: 'anonymous',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path, csrf }) => {
    const found = await readApproval(call.unit, path['token']!, call.now)
    if (!found) return gone
    const { approval, row } = found
    return {
      page: page(
        'Approve a certificate?',
        html`<dl><dt>Domain</dt><dd>${approval.domain}</dd><dt>All names</dt><dd>${row.names.join(', ')}</dd><dt>Requested by account</dt><dd>${row.account}</dd><dt>Region</dt><dd>${row.region}</dd><dt>Certificate</dt><dd>${row.id}</dd><dt>Sent to</dt><dd>${approval.mailbox}</dd></dl>
<p>The owner of this certificate can operate sites under these names. Approve only what you expect.</p>
<form method="post"><input type="hidden" name="csrf" value="${csrf}"><button name="decision" value="approve">I approve</button> <button name="decision" value="deny">I deny</button></form>`,
      ),
    }
  },
})

const decide = route({
  method: 'POST',
  path: '/:token',
  event: 'ApproveCertificate',
  authentication: 'anonymous',
  body: 'form',
  bodyBytesMax: FORM_BYTES_MAX,
  shown: ['decision'],
  run: async (call, { path, form }) => {
    const token = path['token']!
    const found = await readApproval(call.unit, token, call.now)
    if (!found) return gone
    const { approval, row } = found
    const { unit, now } = call
    const isApproved = form['decision'] === 'approve'
    if (!isApproved && form['decision'] !== 'deny') return { ...gone, status: 400 }
    unit.delete(approvalKey(token))
    recorded(call, row, isApproved ? 'ApproveCertificate' : 'DenyCertificate', approval.mailbox)
    const proofs = row.proofs.map((proof) => {
      if (proof.domain !== approval.domain) return proof
      if (!isApproved) return { ...proof, finding: `${approval.mailbox} denied the request`, isDenied: true as const }
      return { ...proof, proved: [...new Set([...proof.proved, 'EMAIL' as const])] }
    })
    issuance.hurry(unit, approval.at, { ...row, proofs }, now)
    return {
      page: page(
        isApproved ? 'The request is approved' : 'The request is denied',
        html`<p>${approval.domain} in the certificate ${row.id}. You can close this page.</p>`,
      ),
    }
  },
})

export const approvalSite: WebSite = {
  service: 'acm',
  eventSource: ACM_EVENT_SOURCE,
  base: APPROVAL_BASE,
  routes: [show, decide],
}
