/**
 * Writes XML that already is its own exclusive canonical form: what it writes can be hashed and signed as it is. Each
 * prefix must be declared on the outermost element that uses it, and nowhere below.
 * Source: https://www.w3.org/TR/xml-exc-c14n/, https://www.w3.org/TR/xml-c14n#ProcessingModel
 *
 * @example
 * element('saml:Issuer', { 'xmlns:saml': ASSERTION }, text('https://idp.example'))
 */

/** Markup: made by {@link element} and {@link text} alone. */
export type Markup = string & { readonly markup: unique symbol }

const TEXT: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' }
const ATTRIBUTE: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}
/** What XML 1.0 has no way to write, lone surrogates among them. */
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

const legal = (value: string): string => value.replace(NOT_XML, '\uFFFD')

export const text = (value: string): Markup => legal(value).replace(/[&<>\r]/g, (each) => TEXT[each]!) as Markup

/** Declarations of namespaces come first, then attributes by name; undefined ones are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  ...content: readonly (Markup | undefined)[]
): Markup {
  const written = Object.entries(attributes)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([key, value]) => ` ${key}="${legal(value).replace(/[&<"\t\n\r]/g, (each) => ATTRIBUTE[each]!)}"`)
  const inside = content.filter((each) => each !== undefined)
  return `<${name}${written.join('')}>${inside.join('')}</${name}>` as Markup
}

const rank = (name: string): number => (name === 'xmlns' || name.startsWith('xmlns:') ? 0 : 1)
