/** The sign-in pages as HTML. They need no script, but for passkeys. */
import type { SocialProvider } from '../../kernel/ports/social-sign-in.ts'
import { button, field, hidden, passkeyForm, problem } from '../../kernel/web/forms.ts'
import { type Html, html } from '../../kernel/web/html.ts'
import type { WebAnswer } from '../../kernel/web/site.ts'
import type { Claims } from './claims.ts'

export { button, done, field, hidden, passkeyForm, problem } from '../../kernel/web/forms.ts'

export interface PageParts {
  readonly title: string
  readonly content: Html
  /** Set on pages behind the sign-in. */
  readonly claims?: Claims | undefined
  readonly csrf?: string
  readonly withScript?: boolean
}

export function page({ title, content, claims, csrf, withScript }: PageParts): Html {
  return html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} - Merlon</title>
<link rel="stylesheet" href="/signin/style.css">
${withScript && html`<script src="/signin/passkey.js" defer></script>`}
</head>
<body class="${claims ? 'wide' : 'narrow'}">
<header><div class="bar"><span>Merlon</span>${claims && navigation(claims, csrf ?? '')}</div></header>
<main>
<h1>${title}</h1>
${content}
</main>
<footer>${claims ? '' : 'Self-hosted. Sign-ins are recorded in the audit log of the account.'}</footer>
</body>
</html>`
}

const navigation = ({ before }: Claims, csrf: string): Html => html`<nav aria-label="Account">
<a href="/console/">Console</a>
<a href="/signin/security">Security credentials</a>
<a href="/signin/switchrole">Switch role</a>
${before && button('/signin/switchback', csrf, 'Switch back', 'plain')}
${button('/signin/logout', csrf, 'Sign out', 'plain')}
</nav>`

export interface UserForm {
  readonly csrf: string
  readonly redirect: string
  readonly account?: string | undefined
  readonly userName?: string | undefined
  readonly failure?: string | undefined
  /** Whose buttons are shown. */
  readonly social?: readonly SocialProvider[]
}

export const userPage = ({ csrf, redirect, account, userName, failure, social = [] }: UserForm): Html =>
  page({
    title: 'Sign in as IAM user',
    content: html`${problem(failure)}
<form method="post" action="/signin/user">${hidden({ csrf, redirect })}
${field({ name: 'account', label: 'Account ID or alias', value: account, autocomplete: 'organization' })}
${field({ name: 'username', label: 'User name', value: userName, autocomplete: 'username' })}
${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' })}
<button>Sign in</button></form>
${
  social.length > 0 &&
  html`<hr><ul class="providers" aria-label="Other ways to sign in">${social.map(
    ({ id, label }) =>
      html`<li><a class="button" href="/signin/social/${id}?redirect=${encodeURIComponent(redirect)}">Sign in with ${label}</a></li>`,
  )}</ul>`
}
<hr><p class="quiet"><a href="/signin/root?redirect=${encodeURIComponent(redirect)}">Sign in as root user</a></p>`,
  })

export interface RootForm {
  readonly csrf: string
  readonly redirect: string
  readonly email?: string | undefined
  readonly failure?: string | undefined
}

export const rootPage = ({ csrf, redirect, email, failure }: RootForm): Html =>
  page({
    title: 'Sign in as root user',
    content: html`${problem(failure)}
<form method="post" action="/signin/root">${hidden({ csrf, redirect })}
${field({ name: 'email', label: 'Root user e-mail address', type: 'email', value: email, autocomplete: 'username' })}
${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' })}
<button>Sign in</button></form>
<hr><p class="quiet"><a href="/signin/reset">Forgot password?</a></p>
<p class="quiet"><a href="/signin?redirect=${encodeURIComponent(redirect)}">Sign in as IAM user</a></p>`,
  })

export interface MfaForm {
  readonly csrf: string
  readonly ticket: string
  readonly codes: readonly string[]
  /** Options of WebAuthn, as JSON. */
  readonly passkey?: string | undefined
  readonly failure?: string | undefined
}

export const mfaPage = ({ csrf, ticket, codes, passkey, failure }: MfaForm): Html =>
  page({
    title: 'Multi-factor authentication',
    withScript: passkey !== undefined,
    content: html`${problem(failure)}
${passkey !== undefined && passkeyForm({ action: '/signin/passkey', kind: 'get', csrf, ticket, options: passkey, text: 'Use passkey' })}
${passkey !== undefined && html`<noscript><p>Your browser runs no scripts: passkeys need them.</p></noscript>`}
${passkey !== undefined && codes.length > 0 && html`<hr>`}
${
  codes.length > 0 &&
  html`<form method="post" action="/signin/mfa">${hidden({ csrf, ticket })}
${
  codes.length > 1
    ? html`<label for="device">MFA device</label><select id="device" name="device">${codes.map((serial) => html`<option value="${serial}">${serial.slice(serial.indexOf('/') + 1)}</option>`)}</select>`
    : hidden({ device: codes[0] })
}
${field({ name: 'code', label: 'Code of your authenticator app', autocomplete: 'one-time-code', isCode: true })}
<button>Continue</button></form>`
}
<hr><p class="quiet"><a href="/signin">Cancel</a></p>`,
  })

export const newPasswordPage = ({
  csrf,
  ticket,
  reason,
  failure,
}: {
  readonly csrf: string
  readonly ticket: string
  readonly reason: string
  readonly failure?: string | undefined
}): Html =>
  page({
    title: 'Choose a new password',
    content: html`${problem(failure)}<p>${reason}</p>
<form method="post" action="/signin/new-password">${hidden({ csrf, ticket })}
${field({ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password' })}
${field({ name: 'again', label: 'New password, again', type: 'password', autocomplete: 'new-password' })}
<button>Change password and sign in</button></form>`,
  })

interface PrintedFault {
  readonly code: string
  readonly message: string
  readonly status: number
}

/** Of routes that scripts call. */
export const jsonFault = ({ code, message, status }: PrintedFault): WebAnswer => ({
  json: { error: code, message },
  status,
})

/** Faults of every other route: a page that leads back. */
export function faultPage({ code, message, status }: PrintedFault): WebAnswer {
  if (code === 'Unauthorized') return { redirect: '/signin' }
  const title = status === 429 ? 'Too many requests' : status >= 500 ? 'Not available' : 'This did not work'
  return {
    status,
    page: page({
      title,
      content: html`${problem(message)}<p><a href="/signin">Start again</a></p>`,
    }),
  }
}
