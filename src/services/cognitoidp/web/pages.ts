/** The pages of managed login as HTML. Those for passkeys need a script, all others none. */

import { type Html, html } from '../../../kernel/web/html.ts'
import type { ActivityRow } from '../activity-rows.ts'
import type { StyleRule } from '../branding.ts'

export interface Look {
  /** Where the pages of this login are: empty for a host of its own. */
  readonly base: string
  readonly lang: string
  readonly image?: string | undefined
  /** Of the app, as people know it. */
  readonly app: string
  /** The query that goes from page to page. */
  readonly query: string
}

export interface Form {
  readonly look: Look
  readonly csrf: string
  readonly failure?: string | undefined
  readonly note?: string | undefined
}

export function page(look: Look, title: string, content: Html): Html {
  return html`<html lang="${look.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} - ${look.app}</title>
<link rel="stylesheet" href="${look.base}/style.css?${look.query}">
</head>
<body class="background-customizable">
<header class="banner-customizable">${look.image ? html`<img class="logo-customizable" src="${look.image}" alt="${look.app}">` : html`<span>${look.app}</span>`}</header>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>`
}

const hidden = (fields: Readonly<Record<string, string | undefined>>): readonly Html[] =>
  Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [html`<input type="hidden" name="${name}" value="${value}">`],
  )

interface Field {
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'password' | 'email' | 'tel'
  readonly value?: string | undefined
  readonly autocomplete: string
  readonly isCode?: boolean
  readonly isOptional?: boolean
}

const REQUIRED = html`required`
const CODE = html`inputmode="numeric" pattern="[0-9]{6}"`

const field = ({ name, label, type = 'text', value, autocomplete, isCode, isOptional }: Field): Html =>
  html`<label class="label-customizable" for="${name}">${label}</label>
<input class="inputField-customizable" id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}" maxlength="${isCode ? 6 : 256}" ${isCode && CODE} ${!isOptional && REQUIRED} autocapitalize="none" spellcheck="false">`

const alert = (text: string | undefined): Html | undefined =>
  text === undefined ? undefined : html`<p class="errorMessage-customizable" role="alert">${text}</p>`
const status = (text: string | undefined): Html | undefined =>
  text === undefined ? undefined : html`<p class="textDescription-customizable" role="status">${text}</p>`

const form = (
  { look, csrf, failure, note }: Form,
  action: string,
  fields: readonly (Html | undefined)[],
  button: string,
  carried: Readonly<Record<string, string | undefined>> = {},
): Html => html`${alert(failure)}${status(note)}
<form method="post" action="${look.base}${action}">
${hidden({ csrf, request: look.query, ...carried })}
${fields}
<button class="submitButton-customizable">${button}</button>
</form>`

const link = ({ base, query }: Look, path: string, text: string): Html =>
  html`<p class="redirect-customizable"><a href="${base}${path}?${query}">${text}</a></p>`

const userName = (value: string | undefined, label: string): Html =>
  field({ name: 'username', label, value, autocomplete: 'username' })
const newPassword = (): readonly Html[] => [
  field({ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password' }),
  field({ name: 'again', label: 'New password again', type: 'password', autocomplete: 'new-password' }),
]
const code = (): Html => field({ name: 'code', label: 'Code', autocomplete: 'one-time-code', isCode: true })

export interface LoginParts extends Form {
  readonly nameLabel: string
  readonly username?: string | undefined
  /** Whether the client accepts the pool's own users, beside those of providers. */
  readonly hasOwnUsers: boolean
  readonly canSignUp: boolean
  readonly providers: readonly string[]
  readonly hasPasskeys?: boolean
}

export const loginPage = (parts: LoginParts): Html =>
  page(
    parts.look,
    'Sign in',
    html`${
      parts.hasOwnUsers &&
      html`${form(
        parts,
        '/login',
        [
          userName(parts.username, parts.nameLabel),
          field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' }),
        ],
        'Sign in',
      )}
${parts.hasPasskeys && link(parts.look, '/passkeys', 'Sign in with a passkey')}
${link(parts.look, '/forgotPassword', 'Forgot your password?')}
${parts.canSignUp && link(parts.look, '/signup', 'Create an account')}`
    }
${parts.providers.map((name) =>
  form({ look: parts.look, csrf: parts.csrf }, '/federate', [], `Continue with ${name}`, { provider: name }),
)}`,
  )

interface PasskeyParts extends Form {
  /** For the browser, as JSON text. */
  readonly options: string
  readonly session?: string | undefined
}

/** A form that the script fills in; without a script it remains hidden. */
const passkeyForm = (parts: PasskeyParts, kind: 'create' | 'get', action: string, button: string): Html =>
  html`${alert(parts.failure)}
<form method="post" action="${parts.look.base}${action}" data-passkey="${kind}" data-options="${parts.options}" hidden>
${hidden({ csrf: parts.csrf, request: parts.look.query, session: parts.session })}
<input type="hidden" name="response" value="">
<p class="errorMessage-customizable" role="alert" hidden>The browser found no passkey, or it was not confirmed.</p>
<button class="submitButton-customizable">${button}</button>
</form>
<script src="${parts.look.base}/passkey.js" defer></script>`

export const passkeyPage = (parts: PasskeyParts): Html =>
  page(
    parts.look,
    'Sign in with a passkey',
    html`<p class="textDescription-customizable">Your device confirms who you are: by your face, your finger, or its own code.</p>
${passkeyForm(parts, 'get', '/passkeys', 'Use a passkey')}
${link(parts.look, '/login', 'Sign in in another way')}`,
  )

export const addPasskeyPage = (parts: PasskeyParts): Html =>
  page(
    parts.look,
    'Add a passkey',
    html`<p class="textDescription-customizable">With a passkey you sign in without a password.</p>
${passkeyForm(parts, 'create', '/passkeys/add', 'Add a passkey')}`,
  )

export interface ChallengeParts extends Form {
  readonly session: string
  readonly username: string
  readonly challenge: string
  /** Where a code went. */
  readonly destination?: string | undefined
  /** Attributes that a new password comes with. */
  readonly missing?: readonly string[]
  readonly choices?: readonly string[]
  readonly secret?: string | undefined
  readonly picture?: string | undefined
}

const FACTOR_NAMES: Readonly<Record<string, string>> = {
  SMS_MFA: 'A code by text message',
  EMAIL_OTP: 'A code by e-mail',
  SOFTWARE_TOKEN_MFA: 'A code from an authenticator app',
}

export function challengePage(parts: ChallengeParts): Html {
  const carried = { session: parts.session, username: parts.username, challenge: parts.challenge }
  switch (parts.challenge) {
    case 'NEW_PASSWORD_REQUIRED':
      return page(
        parts.look,
        'Set a new password',
        form(
          { ...parts, note: 'Your password was set by an administrator. Choose one of your own.' },
          '/challenge',
          [
            ...newPassword(),
            ...(parts.missing ?? []).map((name) =>
              field({ name, label: name.replace(/^userAttributes\./, ''), autocomplete: 'off' }),
            ),
          ],
          'Set password',
          carried,
        ),
      )
    case 'SELECT_MFA_TYPE':
      return page(
        parts.look,
        'Choose how to go on',
        html`${(parts.choices ?? []).map((name) =>
          form(parts, '/challenge', [], FACTOR_NAMES[name] ?? name, { ...carried, answer: name }),
        )}`,
      )
    case 'MFA_SETUP':
      return page(
        parts.look,
        'Set up an authenticator app',
        html`<p class="textDescription-customizable">Scan the picture, or type the key into your authenticator app. Then enter the code that it shows.</p>
${parts.picture && html`<p><img src="${parts.picture}" alt="QR code of the key" width="200" height="200"></p>`}
<p><code>${parts.secret}</code></p>
${form(parts, '/challenge', [code()], 'Set up', carried)}`,
      )
    default:
      return page(
        parts.look,
        'Enter the code',
        form(
          {
            ...parts,
            note: parts.destination
              ? `A code was sent to ${parts.destination}.`
              : 'Enter the code that your authenticator app shows.',
          },
          '/challenge',
          [code()],
          'Sign in',
          carried,
        ),
      )
  }
}

export interface SignUpParts extends Form {
  readonly nameLabel: string
  readonly values: Readonly<Record<string, string>>
  /** Attributes that the pool needs, besides the name. */
  readonly attributes: readonly string[]
}

const ATTRIBUTE_TYPES: Readonly<Record<string, { type: 'email' | 'tel'; autocomplete: string }>> = {
  email: { type: 'email', autocomplete: 'email' },
  phone_number: { type: 'tel', autocomplete: 'tel' },
}
const ATTRIBUTE_LABELS: Readonly<Record<string, string>> = { email: 'E-mail address', phone_number: 'Phone number' }

export const signUpPage = (parts: SignUpParts): Html =>
  page(
    parts.look,
    'Create an account',
    html`${form(
      parts,
      '/signup',
      [
        userName(parts.values['username'], parts.nameLabel),
        ...parts.attributes.map((name) =>
          field({
            name: `attribute.${name}`,
            label: ATTRIBUTE_LABELS[name] ?? name.replace(/^custom:/, '').replaceAll('_', ' '),
            value: parts.values[`attribute.${name}`],
            ...(ATTRIBUTE_TYPES[name] ?? { autocomplete: 'off' }),
          }),
        ),
        ...newPassword(),
      ],
      'Create account',
    )}
${link(parts.look, '/login', 'I have an account')}`,
  )

export const confirmPage = (
  parts: Form & { readonly username: string; readonly destination?: string | undefined },
): Html =>
  page(
    parts.look,
    'Confirm your account',
    html`${form(
      { ...parts, note: parts.note ?? (parts.destination ? `A code was sent to ${parts.destination}.` : undefined) },
      '/confirmUser',
      [code()],
      'Confirm',
      { username: parts.username },
    )}
${form({ look: parts.look, csrf: parts.csrf }, '/resendcode', [], 'Send another code', { username: parts.username })}`,
  )

export const forgotPage = (parts: Form & { readonly nameLabel: string }): Html =>
  page(
    parts.look,
    'Forgot your password?',
    html`${form({ ...parts, note: 'Enter your name, and a code will be sent to you.' }, '/forgotPassword', [userName(undefined, parts.nameLabel)], 'Send a code')}
${link(parts.look, '/login', 'Back to sign-in')}`,
  )

export const resetPage = (
  parts: Form & { readonly username: string; readonly destination?: string | undefined },
): Html =>
  page(
    parts.look,
    'Choose a new password',
    form(
      {
        ...parts,
        note: parts.destination ? `If there is such a user, a code was sent to ${parts.destination}.` : undefined,
      },
      '/confirmForgotPassword',
      [code(), ...newPassword()],
      'Set password',
      { username: parts.username },
    ),
  )

export const signedOutPage = (look: Look): Html =>
  page(look, 'Signed out', html`<p role="status">You have signed out.</p>`)

interface FeedbackParts extends Form {
  readonly token: string
  readonly value: 'Valid' | 'Invalid'
  readonly row: Pick<ActivityRow, 'at' | 'address' | 'country' | 'deviceName'>
}

export const feedbackPage = ({ token, value, row, ...parts }: FeedbackParts): Html => {
  const place = [row.address, row.country].filter((each) => each !== undefined).join(', ')
  const note = `A sign-in on ${new Date(row.at).toUTCString()} from ${place}, with ${row.deviceName}.`
  const button = value === 'Valid' ? 'It was me' : 'It was not me'
  return page(parts.look, 'Was it you?', form({ ...parts, note }, '/authEventFeedback', [], button, { token, value }))
}

export const thanksPage = (look: Look, value: 'Valid' | 'Invalid'): Html =>
  page(
    look,
    'Thank you',
    html`<p role="status">${value === 'Valid' ? 'This sign-in is known as yours now.' : 'Sign-ins from there are treated as a risk. Change your password where you sign in.'}</p>`,
  )

export const errorPage = ({ code: name, message }: { readonly code: string; readonly message: string }): Html =>
  html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${name}</title></head>
<body><main><h1>An error was encountered with the requested page.</h1><p role="alert">${message}</p></main></body></html>`

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de;
  --accent: #0b5cad; --on-accent: #ffffff; --bad: #a40e26; --bad-page: #fff1f2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181d; --card: #1c2128; --text: #e6edf3; --quiet: #9da7b3; --line: #444c56;
    --accent: #6cb6ff; --on-accent: #0d1117; --bad: #ff9b9b; --bad-page: #3b1d20;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, "Segoe UI", sans-serif; }
header, main { width: min(26rem, 100% - 2rem); margin-inline: auto; }
header { padding: 2.5rem 0 1rem; font-size: 1.25rem; font-weight: 650; }
header img { max-height: 4rem; max-width: 100%; }
main { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.75rem; margin-bottom: 3rem; }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 0 0 1rem; }
p { margin: 0 0 1rem; }
form { margin: 0 0 1rem; }
code { overflow-wrap: anywhere; }
label { display: block; font-weight: 600; margin: 0 0 .25rem; }
input:not([type=hidden]) {
  width: 100%; padding: .5625rem .75rem; margin-bottom: 1rem; font: inherit; color: inherit; background: var(--page);
  border: 1px solid var(--quiet); border-radius: .375rem;
}
button, a.idpButton-customizable {
  display: block; width: 100%; text-align: center; font: inherit; font-weight: 600; padding: .5625rem 1.125rem; border-radius: .375rem;
  border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); cursor: pointer; text-decoration: none;
}
a.idpButton-customizable { background: none; color: var(--accent); }
a { color: var(--accent); }
[role=alert] { background: var(--bad-page); color: var(--bad); border: 1px solid var(--bad); border-radius: .375rem; padding: .625rem .875rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`

/** A customer's rules, behind ours. They were read into known classes and plain values. */
export const printRules = (rules: readonly StyleRule[]): string =>
  rules
    .map(
      ({ selector, declarations }) =>
        `.${selector} { ${declarations.map(([name, value]) => `${name}: ${value};`).join(' ')} }`,
    )
    .join('\n')
