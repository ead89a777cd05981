/** Parts of pages that people fill in: fields, buttons, messages. The stylesheet is that of the sign-in pages. */
import { type Html, html } from './html.ts'

export const button = (action: string, csrf: string, text: string, look: 'first' | 'second' | 'plain' = 'first') =>
  html`<form method="post" action="${action}">${hidden({ csrf })}<button class="${look}">${text}</button></form>`

export const hidden = (fields: Readonly<Record<string, string | undefined>>): Html =>
  html`${Object.entries(fields).map(([name, value]) =>
    value === undefined ? '' : html`<input type="hidden" name="${name}" value="${value}">`,
  )}`

export const problem = (text: string | undefined): Html | undefined =>
  text === undefined ? undefined : html`<p role="alert">${text}</p>`

export const done = (text: string | undefined): Html | undefined =>
  text === undefined ? undefined : html`<p role="status">${text}</p>`

interface Field {
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'password' | 'email'
  readonly value?: string | undefined
  readonly autocomplete?: string
  readonly isCode?: boolean
  readonly isOptional?: boolean
}

export const field = ({ name, label, type = 'text', value, autocomplete, isCode, isOptional }: Field): Html =>
  html`<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete ?? 'off'}" maxlength="${isCode ? 6 : 512}" ${isCode && CODE} ${!isOptional && REQUIRED} autocapitalize="none" spellcheck="false">`

const REQUIRED = html`required`
const CODE = html`inputmode="numeric" pattern="[0-9]{6}"`

export const passkeyForm = ({
  action,
  kind,
  csrf,
  ticket,
  options,
  text,
  fields,
}: {
  readonly action: string
  readonly kind: 'get' | 'create'
  readonly csrf: string
  readonly ticket: string
  readonly options: string
  readonly text: string
  readonly fields?: Html
}): Html =>
  html`<form method="post" action="${action}" data-passkey="${kind}" data-options="${options}" hidden>${hidden({ csrf, ticket, response: '' })}
<p role="alert" hidden>The passkey was not used. Try again, and follow what your browser shows.</p>
${fields}<button>${text}</button></form>`
