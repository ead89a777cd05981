/** `/inbox`, with `--dev` only: a page with the mail of the account, for its root user. */
import { createHash } from 'node:crypto'
import { type DeliveredMailPort, deliveredMail } from '../../kernel/ports/delivered-mail.ts'
import { MissingPortError, type Use } from '../../kernel/ports/port.ts'
import { html } from '../../kernel/web/html.ts'
import { route, type WebAnswer, type WebCall, type WebInput, type WebSite } from '../../kernel/web/site.ts'
import { Fault } from '../../wire/fault.ts'
import { type Claims, scheme } from './claims.ts'
import { faultPage, page } from './pages.ts'

type DeliveredMail = ReturnType<DeliveredMailPort['delivered']>[number]

function delivered(use: Use): readonly DeliveredMail[] {
  try {
    return use(deliveredMail).delivered()
  } catch (error) {
    if (error instanceof MissingPortError)
      throw new Fault('NotFound', 'Mail leaves this server: it has no inbox.', { status: 404 })
    throw error
  }
}

function inboxSite(): WebSite {
  const of = (call: WebCall<Claims>): readonly DeliveredMail[] => {
    call.event.isUnrecorded = true
    const { kind, account } = call.claims.principal
    // Messages carry codes of other people.
    if (kind !== 'root') throw new Fault('AccessDenied', 'Only the root user may read the inbox.', { status: 403 })
    return delivered(call.use).filter((message) => message.account === account)
  }
  const read = (path: string, run: (call: WebCall<Claims>, input: WebInput) => WebAnswer) =>
    route<Claims>({
      method: 'GET',
      path,
      event: 'GetInbox',
      authentication: 'session',
      body: 'none',
      bodyBytesMax: 0,
      shown: [],
      run,
    })
  return {
    service: 'signin',
    eventSource: 'signin.amazonaws.com',
    base: '/inbox',
    session: scheme,
    printFault: faultPage,
    routes: [
      read('', (call, { csrf }) => {
        const messages = [...of(call)].reverse()
        const content =
          messages.length === 0
            ? html`<section><p class="quiet">No messages.</p></section>`
            : html`<section><ul>${messages.map(
                (message) =>
                  html`<li><a href="/inbox/${idOf(message)}">${message.subject}</a><span class="quiet">${message.to}</span></li>`,
              )}</ul></section>`
        return { page: page({ title: 'Inbox', content, claims: call.claims, csrf }) }
      }),
      read('/:id', (call, { csrf, path: { id } }) => {
        const message = of(call).find((each) => idOf(each) === id)
        if (!message) throw new Fault('NotFound', 'There is no such message.', { status: 404 })
        const content = html`<section><dl><dt>To</dt><dd>${message.to}</dd></dl><pre>${message.text}</pre></section>
<p><a href="/inbox">All messages</a></p>`
        return { page: page({ title: message.subject, content, claims: call.claims, csrf }) }
      }),
    ],
  }
}

const idOf = ({ key }: DeliveredMail): string => createHash('sha256').update(key).digest('hex').slice(0, 16)

export const inbox: WebSite = inboxSite()
