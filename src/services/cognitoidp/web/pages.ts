/** The pages of managed login as HTML. Those for passkeys need a script, all others none. Texts are in English; see `languages.ts`. */

import { type Html, html } from '../../../kernel/web/html.ts'
import type { ActivityRow } from '../activity-rows.ts'
import {
  alert,
  described,
  type Form,
  field,
  form,
  hidden,
  type Look,
  languageLinks,
  link,
  page,
  textOf,
} from './layout.ts'

const userName = (look: Look, value: string | undefined, label: string): Html =>
  field(look, { name: 'username', label, value, autocomplete: 'username' })
const newPassword = (look: Look): readonly Html[] => [
  field(look, { name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password' }),
  field(look, { name: 'again', label: 'New password again', type: 'password', autocomplete: 'new-password' }),
]
const code = (look: Look): Html =>
  field(look, { name: 'code', label: 'Code', autocomplete: 'one-time-code', isCode: true })

const sentTo = (look: Look, destination: string | undefined): string | undefined =>
  destination === undefined ? undefined : textOf(look, 'A code was sent to {destination}.', { destination })

/** As a button of the sign-in page shows a provider. */
export interface ShownProvider {
  readonly name: string
  /** Of one of the social networks that Cognito knows. */
  readonly isSocial: boolean
}

export interface LoginParts extends Form {
  readonly nameLabel: string
  readonly username?: string | undefined
  /** Whether the client accepts the pool's own users, beside those of providers. */
  readonly hasOwnUsers: boolean
  readonly canSignUp: boolean
  readonly providers: readonly ShownProvider[]
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
          userName(parts.look, parts.username, parts.nameLabel),
          field(parts.look, {
            name: 'password',
            label: 'Password',
            type: 'password',
            autocomplete: 'current-password',
          }),
        ],
        'Sign in',
      )}
${parts.hasPasskeys && link(parts.look, '/passkeys', 'Sign in with a passkey')}
${link(parts.look, '/forgotPassword', 'Forgot your password?')}
${parts.canSignUp && link(parts.look, '/signup', 'Create an account')}`
    }
${parts.providers.map(({ name, isSocial }) =>
  form(
    { look: parts.look, csrf: parts.csrf },
    '/federate',
    [],
    {
      text: 'Continue with {name}',
      values: { name },
      kind: isSocial ? 'socialButton' : 'idpButton',
      icon: parts.look.branding?.providerIcons[name],
    },
    { provider: name },
  ),
)}
${languageLinks(parts.look, '/login')}`,
  )

interface PasskeyParts extends Form {
  /** For the browser, as JSON text. */
  readonly options: string
  readonly session?: string | undefined
}

/** A form that the script fills in; without a script it remains hidden. */
const passkeyForm = (parts: PasskeyParts, kind: 'create' | 'get', action: string, button: string): Html =>
  html`${alert(parts.look, parts.failure)}
<form method="post" action="${parts.look.base}${action}" data-passkey="${kind}" data-options="${parts.options}" hidden>
${hidden({ csrf: parts.csrf, request: parts.look.query, session: parts.session })}
<input type="hidden" name="response" value="">
<p class="errorMessage-customizable" role="alert" hidden>${textOf(parts.look, 'The browser found no passkey, or it was not confirmed.')}</p>
<button class="submitButton-customizable">${textOf(parts.look, button)}</button>
</form>
<script src="${parts.look.base}/passkey.js" defer></script>`

export const passkeyPage = (parts: PasskeyParts): Html =>
  page(
    parts.look,
    'Sign in with a passkey',
    html`${described(parts.look, 'Your device confirms who you are: by your face, your finger, or its own code.')}
${passkeyForm(parts, 'get', '/passkeys', 'Use a passkey')}
${link(parts.look, '/login', 'Sign in in another way')}`,
  )

export const addPasskeyPage = (parts: PasskeyParts): Html =>
  page(
    parts.look,
    'Add a passkey',
    html`${described(parts.look, 'With a passkey you sign in without a password.')}
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
            ...newPassword(parts.look),
            ...(parts.missing ?? []).map((name) =>
              field(parts.look, {
                name,
                label: attributeLabel(name.replace(/^userAttributes\./, '')),
                autocomplete: 'off',
              }),
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
        html`${described(parts.look, 'Scan the picture, or type the key into your authenticator app. Then enter the code that it shows.')}
${parts.picture && html`<p><img src="${parts.picture}" alt="${textOf(parts.look, 'QR code of the key')}" width="200" height="200"></p>`}
<p><code>${parts.secret}</code></p>
${form(parts, '/challenge', [code(parts.look)], 'Set up', carried)}`,
      )
    default:
      return page(
        parts.look,
        'Enter the code',
        form(
          {
            ...parts,
            note: sentTo(parts.look, parts.destination) ?? 'Enter the code that your authenticator app shows.',
          },
          '/challenge',
          [code(parts.look)],
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
const attributeLabel = (name: string): string =>
  ATTRIBUTE_LABELS[name] ?? name.replace(/^custom:/, '').replaceAll('_', ' ')

export const signUpPage = (parts: SignUpParts): Html =>
  page(
    parts.look,
    'Create an account',
    html`${form(
      parts,
      '/signup',
      [
        userName(parts.look, parts.values['username'], parts.nameLabel),
        ...parts.attributes.map((name) =>
          field(parts.look, {
            name: `attribute.${name}`,
            label: attributeLabel(name),
            value: parts.values[`attribute.${name}`],
            ...(ATTRIBUTE_TYPES[name] ?? { autocomplete: 'off' }),
          }),
        ),
        ...newPassword(parts.look),
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
      { ...parts, note: parts.note ?? sentTo(parts.look, parts.destination) },
      '/confirmUser',
      [code(parts.look)],
      'Confirm',
      { username: parts.username },
    )}
${form({ look: parts.look, csrf: parts.csrf }, '/resendcode', [], 'Send another code', { username: parts.username })}`,
  )

export const forgotPage = (parts: Form & { readonly nameLabel: string }): Html =>
  page(
    parts.look,
    'Forgot your password?',
    html`${form({ ...parts, note: 'Enter your name, and a code will be sent to you.' }, '/forgotPassword', [userName(parts.look, undefined, parts.nameLabel)], 'Send a code')}
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
        note:
          parts.destination &&
          textOf(parts.look, 'If there is such a user, a code was sent to {destination}.', {
            destination: parts.destination,
          }),
      },
      '/confirmForgotPassword',
      [code(parts.look), ...newPassword(parts.look)],
      'Set password',
      { username: parts.username },
    ),
  )

export const signedOutPage = (look: Look): Html =>
  page(look, 'Signed out', html`<p role="status">${textOf(look, 'You have signed out.')}</p>`)

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

/** In our own look: of what failed, nothing is known. */
export const errorPage = (
  base: string,
  { code: name, message }: { readonly code: string; readonly message: string },
): Html =>
  html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${name}</title><link rel="stylesheet" href="${base}/style.css"></head>
<body><main><h1>An error was encountered with the requested page.</h1><p role="alert">${message}</p></main></body></html>`
