/** LDAP search filters from values that people type. Source: https://www.rfc-editor.org/rfc/rfc4515 §3 */

/**
 * A value inside a filter: each character with a meaning there, and each control character, is written in hexadecimal.
 * Others, UTF-8 included, are plain as the grammar allows: some clients decode bytes of hexadecimal one by one.
 */
export const filterValue = (value: string): string =>
  value.replace(/[*()\\\0-\x1f\x7f]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** `(attribute=value)`, with the value escaped. */
export const equals = (attribute: string, value: string): string => `(${attribute}=${filterValue(value)})`

export const anyOf = (...filters: readonly string[]): string => `(|${filters.join('')})`
export const allOf = (...filters: readonly string[]): string => `(&${filters.join('')})`

/** Follows memberships through nested groups, in Active Directory. Source: [MS-ADTS] §3.1.1.3.4.4.3 */
export const MEMBER_IN_CHAIN = 'member:1.2.840.113556.1.4.1941:'
/** The same, from the member's side. */
export const MEMBER_OF_CHAIN = 'memberOf:1.2.840.113556.1.4.1941:'

/** A value inside a distinguished name. Source: https://www.rfc-editor.org/rfc/rfc4514 §2.4 */
export function nameValue(value: string): string {
  let text = ''
  for (const byte of Buffer.from(value)) {
    const isPlain = /[A-Za-z0-9._@-]/.test(String.fromCharCode(byte)) && byte < 0x80
    text += isPlain ? String.fromCharCode(byte) : `\\${byte.toString(16).padStart(2, '0')}`
  }
  return text
}

/** `corp.example.com` as the naming context of a domain: `dc=corp,dc=example,dc=com`. */
export const domainBase = (domain: string): string =>
  domain
    .split('.')
    .map((label) => `dc=${nameValue(label)}`)
    .join(',')
