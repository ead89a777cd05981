/**
 * The languages of managed login, as data: English texts, and for each other language what they become. The request's `lang` chooses.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-managed-login.html (localization)
 *
 * @example
 * translated('de', 'Continue with {name}', { name: 'Google' }) // 'Weiter mit Google'
 */
import { german } from './languages/de.ts'
import { spanish } from './languages/es.ts'
import { french } from './languages/fr.ts'
import { japanese } from './languages/ja.ts'

type Texts = Readonly<Record<string, string>>

const TRANSLATIONS: Readonly<Record<string, Texts>> = { de: german, es: spanish, fr: french, ja: japanese }

/** By code, as each names itself. */
export const LANGUAGES: Readonly<Record<string, string>> = {
  en: 'English',
  de: 'Deutsch',
  es: 'Español',
  fr: 'Français',
  ja: '日本語',
}

/** The language of a request: English where `lang` names none of ours. */
export const languageOf = (lang: string | undefined): string =>
  lang !== undefined && Object.hasOwn(LANGUAGES, lang) ? lang : 'en'

/** A text in a language. What has no translation, such as the message of a customer's function, is shown as it is. */
export function translated(lang: string, text: string, values: Readonly<Record<string, string>> = {}): string {
  const texts = Object.hasOwn(TRANSLATIONS, lang) ? TRANSLATIONS[lang]! : {}
  const found = Object.hasOwn(texts, text) ? texts[text]! : text
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? values[name]! : whole))
}
