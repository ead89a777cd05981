/** What the pages of managed login are made of: the frame, forms and fields, in the language and the look of the request. */

import { type Html, html } from '../../../kernel/web/html.ts'
import { LANGUAGES, translated } from './languages.ts'

/** An image that the customer has set; `dark` where pages in dark colors have another one. */
export interface Picture {
  readonly src: string
  readonly dark?: string | undefined
}

/** What a branding style changes in the content of pages; colors and sizes are in the style sheet. */
export interface Branding {
  readonly headerLogo?: Picture | undefined
  readonly footerLogo?: Picture | undefined
  readonly formLogo?: Picture | undefined
  /** The logo is above the form, not in it. */
  readonly isLogoOutside: boolean
  /** Of the tab of the browser. */
  readonly icon?: string | undefined
  readonly hasLanguages: boolean
  /** Of identity providers, by name. */
  readonly providerIcons: Readonly<Record<string, string>>
}

export interface Look {
  /** Where the pages of this login are: empty for a host of its own. */
  readonly base: string
  /** Of {@link LANGUAGES}. */
  readonly lang: string
  /** The logo of the classic pages, as a data URL. */
  readonly image?: string | undefined
  readonly branding?: Branding | undefined
  /** Of the app, as people know it. */
  readonly app: string
  /** The query that goes from page to page. */
  readonly query: string
}

export interface Form {
  readonly look: Look
  readonly csrf: string
  /** Both in English, or in the language of the page. */
  readonly failure?: string | undefined
  readonly note?: string | undefined
}

/** A text in the language of the page. */
export const textOf = ({ lang }: Look, text: string, values?: Readonly<Record<string, string>>): string =>
  translated(lang, text, values)

const picture = ({ src, dark }: Picture, alt: string): Html =>
  dark === undefined
    ? html`<img class="logo-customizable" src="${src}" alt="${alt}">`
    : html`<picture><source media="(prefers-color-scheme: dark)" srcset="${dark}"><img class="logo-customizable" src="${src}" alt="${alt}"></picture>`

function headerOf({ app, image, branding }: Look): Html | undefined {
  const logo = branding?.headerLogo ?? (image === undefined ? undefined : { src: image })
  const outside = branding?.isLogoOutside ? branding.formLogo : undefined
  if (!logo && !outside && branding?.formLogo) return undefined
  const shown = [logo, outside].filter((each) => each !== undefined)
  return html`<header class="banner-customizable">${shown.length > 0 ? shown.map((each) => picture(each, app)) : html`<span>${app}</span>`}</header>
`
}

/** `title` is a text in English. */
export function page(look: Look, title: string, content: Html): Html {
  const { branding, app } = look
  const heading = textOf(look, title)
  const logo = branding && !branding.isLogoOutside ? branding.formLogo : undefined
  return html`<html lang="${look.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${heading} - ${app}</title>
<link rel="stylesheet" href="${look.base}/style.css?${look.query}">
${branding?.icon && html`<link rel="icon" href="${branding.icon}">`}
</head>
<body class="background-customizable">
${headerOf(look)}<main>
${logo && html`<p class="logo">${picture(logo, app)}</p>`}
<h1>${heading}</h1>
${content}
</main>
${branding?.footerLogo && html`<footer>${picture(branding.footerLogo, app)}</footer>`}
</body>
</html>`
}

export const hidden = (fields: Readonly<Record<string, string | undefined>>): readonly Html[] =>
  Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [html`<input type="hidden" name="${name}" value="${value}">`],
  )

interface Field {
  readonly name: string
  /** In English. */
  readonly label: string
  readonly type?: 'text' | 'password' | 'email' | 'tel'
  readonly value?: string | undefined
  readonly autocomplete: string
  readonly isCode?: boolean
  readonly isOptional?: boolean
}

const REQUIRED = html`required`
const CODE = html`inputmode="numeric" pattern="[0-9]{6}"`

export const field = (
  look: Look,
  { name, label, type = 'text', value, autocomplete, isCode, isOptional }: Field,
): Html =>
  html`<label class="label-customizable" for="${name}">${textOf(look, label)}</label>
<input class="inputField-customizable" id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}" maxlength="${isCode ? 6 : 256}" ${isCode && CODE} ${!isOptional && REQUIRED} autocapitalize="none" spellcheck="false">`

export const alert = (look: Look, text: string | undefined): Html | undefined =>
  text === undefined ? undefined : html`<p class="errorMessage-customizable" role="alert">${textOf(look, text)}</p>`

export const described = (look: Look, text: string): Html =>
  html`<p class="textDescription-customizable">${textOf(look, text)}</p>`

interface Button {
  /** In English. */
  readonly text: string
  readonly values?: Readonly<Record<string, string>>
  readonly kind?: 'submitButton' | 'idpButton' | 'socialButton'
  readonly icon?: string | undefined
}

/** A form with what goes wrong above it. `carried`: its hidden fields. */
export const form = (
  { look, csrf, failure, note }: Form,
  action: string,
  fields: readonly (Html | undefined)[],
  button: string | Button,
  carried: Readonly<Record<string, string | undefined>> = {},
): Html => {
  const { text, values, kind = 'submitButton', icon } = typeof button === 'string' ? { text: button } : button
  return html`${alert(look, failure)}${note !== undefined && html`<p class="textDescription-customizable" role="status">${textOf(look, note)}</p>`}
<form method="post" action="${look.base}${action}">
${hidden({ csrf, request: look.query, ...carried })}
${fields}
<button class="${kind}-customizable">${icon && html`<img src="${icon}" alt="" width="20" height="20"> `}${textOf(look, text, values)}</button>
</form>`
}

/** `text` is in English. */
export const link = (look: Look, path: string, text: string): Html =>
  html`<p class="redirect-customizable"><a href="${look.base}${path}?${look.query}">${textOf(look, text)}</a></p>`

/** The same page in other languages, where the customer wants the choice. */
export function languageLinks(look: Look, path: string): Html | undefined {
  if (!look.branding?.hasLanguages) return undefined
  const queryIn = (code: string) => {
    const query = new URLSearchParams(look.query)
    query.set('lang', code)
    return query.toString()
  }
  const links = Object.entries(LANGUAGES).map(([code, name]) =>
    code === look.lang
      ? html`<span lang="${code}" aria-current="true">${name}</span> `
      : html`<a lang="${code}" href="${look.base}${path}?${queryIn(code)}">${name}</a> `,
  )
  return html`<nav class="languages" aria-label="${textOf(look, 'Language')}">${links}</nav>`
}
