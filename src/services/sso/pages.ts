/** The portal's pages as HTML. They need no script, but for passkeys. */
import type { PortalApplication } from '../../kernel/ports/sso-instances.ts'
import { button, done, field, hidden, passkeyForm, problem } from '../../kernel/web/forms.ts'
import { type Html, html } from '../../kernel/web/html.ts'
import type { WebAnswer } from '../../kernel/web/site.ts'

interface PageParts {
  readonly title: string
  readonly content: Html
  /** Set on pages behind the sign-in. */
  readonly person?: { readonly userName: string; readonly csrf: string } | undefined
  /** The path of a script of ours. */
  readonly script?: string | undefined
}

const PASSKEY_SCRIPT = '/signin/passkey.js'

export function page({ title, content, person, script }: PageParts): Html {
  return html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} - Merlon</title>
<link rel="stylesheet" href="/signin/style.css">
${script && html`<script src="${script}" defer></script>`}
</head>
<body class="${person ? 'wide' : 'narrow'}">
<header><div class="bar"><span>Merlon access portal</span>${person && navigation(person)}</div></header>
<main>
<h1>${title}</h1>
${content}
</main>
<footer>${person ? '' : 'Sign-ins are recorded in the audit log of the organization.'}</footer>
</body>
</html>`
}

const navigation = ({ userName, csrf }: NonNullable<PageParts['person']>): Html => html`<nav aria-label="Account">
<span class="quiet">${userName}</span>
<a href="/start">Accounts</a>
<a href="/start/security">Security</a>
${button('/start/sign-out', csrf, 'Sign out', 'plain')}
</nav>`

export interface SignInForm {
  readonly csrf: string
  readonly store: string
  readonly redirect: string
  readonly userName?: string | undefined
  readonly failure?: string | undefined
}

export const signInPage = ({ csrf, store, redirect, userName, failure }: SignInForm): Html =>
  page({
    title: 'Sign in to the access portal',
    content: html`${problem(failure)}
<form method="post" action="/start/sign-in">${hidden({ csrf, redirect })}
${store === '' ? field({ name: 'store', label: 'Portal ID', autocomplete: 'organization' }) : hidden({ store })}
${field({ name: 'username', label: 'User name', value: userName, autocomplete: 'username' })}
${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' })}
<button>Sign in</button></form>`,
  })

export const externalSignInPage = (store: string, redirect: string): Html =>
  page({
    title: 'Sign in to the access portal',
    content: html`<p>This portal signs you in at your organization's identity provider.</p>
<p><a href="/start/sign-in?${new URLSearchParams({ store, redirect }).toString()}">Continue to the identity provider</a></p>`,
  })

export interface MfaForm {
  readonly csrf: string
  readonly ticket: string
  readonly apps: readonly { readonly id: string; readonly name: string }[]
  /** Options of WebAuthn, as JSON. */
  readonly passkey?: string | undefined
  readonly failure?: string | undefined
}

export const mfaPage = ({ csrf, ticket, apps, passkey, failure }: MfaForm): Html =>
  page({
    title: 'Multi-factor authentication',
    script: passkey && PASSKEY_SCRIPT,
    content: html`${problem(failure)}
${passkey !== undefined && passkeyForm({ action: '/start/sign-in/passkey', kind: 'get', csrf, ticket, options: passkey, text: 'Use passkey' })}
${passkey !== undefined && html`<noscript><p>Your browser runs no scripts: passkeys need them.</p></noscript>`}
${passkey !== undefined && apps.length > 0 && html`<hr>`}
${
  apps.length > 0 &&
  html`<form method="post" action="/start/sign-in/mfa">${hidden({ csrf, ticket })}
${
  apps.length > 1
    ? html`<label for="device">MFA device</label><select id="device" name="device">${apps.map(({ id, name }) => html`<option value="${id}">${name}</option>`)}</select>`
    : hidden({ device: apps[0]?.id })
}
${field({ name: 'code', label: 'Code of your authenticator app', autocomplete: 'one-time-code', isCode: true })}
<button>Continue</button></form>`
}
<hr><p class="quiet"><a href="/start">Cancel</a></p>`,
  })

export const newPasswordPage = (form: {
  readonly csrf: string
  readonly ticket: string
  readonly failure?: string | undefined
}): Html =>
  page({
    title: 'Choose a new password',
    content: html`${problem(form.failure)}<p>Your password was set by an administrator. Choose one of your own to continue.</p>
<form method="post" action="/start/sign-in/new-password">${hidden({ csrf: form.csrf, ticket: form.ticket })}
${field({ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password' })}
${field({ name: 'again', label: 'New password, again', type: 'password', autocomplete: 'new-password' })}
<button>Change password and sign in</button></form>`,
  })

export interface Person {
  readonly userName: string
  readonly csrf: string
}

export interface ShownApplication extends Pick<PortalApplication, 'name' | 'description'> {
  readonly href: string
}

export const applicationsList = (applications: readonly ShownApplication[]): Html | undefined =>
  applications.length === 0
    ? undefined
    : html`<section><h2>Applications</h2><ul>
${applications.map(
  ({ name, description, href }) =>
    html`<li><a href="${href}">${name}</a> <span class="quiet">${description}</span></li>`,
)}</ul></section>`

/** The answer to an application: browsers without scripts show the button. */
export const samlPostPage = (answer: {
  readonly name: string
  readonly acs: string
  /** base64 */
  readonly response: string
  readonly relayState: string | undefined
}): Html =>
  page({
    title: `Signing in to ${answer.name}`,
    script: '/start/saml/continue.js',
    content: html`<form method="post" action="${answer.acs}" data-continue>${hidden({ SAMLResponse: answer.response, RelayState: answer.relayState })}
<button>Continue to ${answer.name}</button></form>`,
  })

export const credentialsPage = (
  person: Person,
  facts: {
    readonly account: string
    readonly role: string
    readonly region: string
    readonly startUrl: string
    readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string }
    readonly expiresAt: number
  },
): Html =>
  page({
    title: 'Command line credentials',
    person,
    content: html`<section><h2>${facts.role} in ${facts.account}</h2>
<p>Short-lived: they end at ${new Date(facts.expiresAt).toISOString()}. Do not share them.</p>
<pre tabindex="0" aria-label="Environment variables"><code>export AWS_ACCESS_KEY_ID="${facts.keys.accessKeyId}"
export AWS_SECRET_ACCESS_KEY="${facts.keys.secretAccessKey}"
export AWS_SESSION_TOKEN="${facts.keys.sessionToken}"</code></pre></section>
<section><h2>Or let the command line renew them</h2>
<pre tabindex="0" aria-label="Configuration of the command line"><code>[profile ${facts.role}-${facts.account}]
sso_session = merlon
sso_account_id = ${facts.account}
sso_role_name = ${facts.role}

[sso-session merlon]
sso_start_url = ${facts.startUrl}
sso_region = ${facts.region}
sso_registration_scopes = sso:account:access</code></pre></section>
<p><a href="/start">Back to the accounts</a></p>`,
  })

const SCOPES: Readonly<Record<string, string>> = {
  'sso:account:access': 'See your accounts and roles, and get credentials of them',
}

const scopesList = (scopes: readonly string[]): Html =>
  html`<ul>${(scopes.length > 0 ? scopes : ['sso:account:access']).map((scope) => html`<li>${SCOPES[scope] ?? scope}</li>`)}</ul>`

export const deviceCodePage = (person: Person, failure?: string): Html =>
  page({
    title: 'Connect a device',
    person,
    content: html`<section>${problem(failure)}<p>Enter the code that your device or command line shows.</p>
<form method="get" action="/start/device">
${field({ name: 'user_code', label: 'Code' })}
<button>Continue</button></form></section>`,
  })

export const devicePage = (
  person: Person,
  facts: {
    readonly userCode: string
    readonly clientName: string
    readonly remoteAddress: string
    readonly startedAt: number
    readonly scopes: readonly string[]
    readonly isElsewhere: boolean
  },
): Html =>
  page({
    title: 'A device requests access',
    person,
    content: html`<section>
${facts.isElsewhere && problem('The request came from another network than yours. Allow it only if you started it yourself.')}
<p>Compare: your device or command line must show exactly this code.</p>
<p class="row"><strong><code>${facts.userCode}</code></strong></p>
<dl><dt>Application</dt><dd>${facts.clientName}</dd>
<dt>Requested from</dt><dd>${facts.remoteAddress}</dd>
<dt>At</dt><dd>${new Date(facts.startedAt).toISOString()}</dd></dl>
<h2>It will be able to</h2>${scopesList(facts.scopes)}
<p class="quiet">If another person sent you this link or this code, deny it.</p>
<div class="row">
<form method="post" action="/start/device">${hidden({ csrf: person.csrf, user_code: facts.userCode, answer: 'allow' })}<button>The codes are the same: allow access</button></form>
<form method="post" action="/start/device">${hidden({ csrf: person.csrf, user_code: facts.userCode, answer: 'deny' })}<button class="second">Deny</button></form>
</div></section>`,
  })

export const authorizePage = (
  person: Person,
  facts: {
    readonly clientName: string
    readonly scopes: readonly string[]
    readonly redirectUri: string
    readonly fields: Readonly<Record<string, string | undefined>>
  },
): Html =>
  page({
    title: 'An application requests access',
    person,
    content: html`<section>
<dl><dt>Application</dt><dd>${facts.clientName}</dd><dt>On</dt><dd>${facts.redirectUri}</dd></dl>
<h2>It will be able to</h2>${scopesList(facts.scopes)}
<p class="quiet">Allow it only if you started it on this computer just now.</p>
<div class="row">
<form method="post" action="/start/authorize">${hidden({ csrf: person.csrf, ...facts.fields, answer: 'allow' })}<button>Allow access</button></form>
<form method="post" action="/start/authorize">${hidden({ csrf: person.csrf, ...facts.fields, answer: 'deny' })}<button class="second">Deny</button></form>
</div></section>`,
  })

export const messagePage = (person: Person | undefined, title: string, text: string, isGood = true): Html =>
  page({
    title,
    person,
    content: html`${isGood ? done(text) : problem(text)}<p><a href="/start">Back to the accounts</a></p>`,
  })

export const securityPage = (
  person: Person,
  facts: {
    readonly devices: readonly { readonly id: string; readonly name: string; readonly kind: string }[]
    readonly passkey: string
    readonly ticket: string
    readonly message?: string | undefined
    readonly failure?: string | undefined
  },
): Html =>
  page({
    title: 'Security',
    person,
    script: PASSKEY_SCRIPT,
    content: html`${done(facts.message)}${problem(facts.failure)}
<section><h2>Second factors</h2>${facts.devices.length === 0 && html`<p>None yet. Your password alone signs you in.</p>`}
<ul>${facts.devices.map(
      ({
        id,
        name,
        kind,
      }) => html`<li><span>${name} <span class="quiet">${kind === 'totp' ? 'Authenticator app' : 'Passkey'}</span></span>
<form method="post" action="/start/security/remove">${hidden({ csrf: person.csrf, device: id })}<button class="plain" aria-label="Remove ${name}">Remove</button></form></li>`,
    )}</ul></section>
<section><h2>Authenticator app</h2><form method="post" action="/start/security/app">${hidden({ csrf: person.csrf })}
${field({ name: 'name', label: 'Name of the authenticator app' })}
<button class="second">Add authenticator app</button></form></section>
<section><h2>Passkey</h2>${passkeyForm({
      action: '/start/security/passkey',
      kind: 'create',
      csrf: person.csrf,
      ticket: facts.ticket,
      options: facts.passkey,
      text: 'Add passkey',
      fields: field({ name: 'name', label: 'Name of the passkey' }),
    })}<noscript><p>Your browser runs no scripts: passkeys need them.</p></noscript></section>`,
  })

export const appPage = (
  person: Person,
  facts: { readonly ticket: string; readonly seed: string; readonly qr: string; readonly failure?: string | undefined },
): Html =>
  page({
    title: 'Set up an authenticator app',
    person,
    content: html`<section>${problem(facts.failure)}<p>Scan this picture with the app, or type the key.</p>
<img class="qr" alt="QR code of the key" src="data:image/png;base64,${facts.qr}">
<p><code>${facts.seed}</code></p>
<form method="post" action="/start/security/enable">${hidden({ csrf: person.csrf, ticket: facts.ticket })}
${field({ name: 'first', label: 'First code', isCode: true, autocomplete: 'one-time-code' })}
${field({ name: 'second', label: 'Next code', isCode: true, autocomplete: 'one-time-code' })}
<button>Enable</button></form></section>`,
  })

interface PrintedFault {
  readonly code: string
  readonly message: string
  readonly status: number
}

export function faultPage({ code, message, status }: PrintedFault): WebAnswer {
  if (code === 'Unauthorized') return { redirect: '/start' }
  const title = status === 429 ? 'Too many requests' : status >= 500 ? 'Not available' : 'This did not work'
  return { status, page: messagePage(undefined, title, message, false) }
}
