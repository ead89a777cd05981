/** Names of any kind in certificates (RFC 5280 §4.2.1.6), as they are compared. Pure. */
import { DerError, type Element, elements, only } from './der-read.ts'
import { comparableName } from './names.ts'

/** `other`: kinds that are not compared here, such as registered IDs. */
export type GeneralName =
  | { readonly kind: 'dns' | 'email' | 'uri'; readonly text: string }
  | { readonly kind: 'address'; readonly bytes: Buffer }
  | { readonly kind: 'directory'; readonly parts: readonly string[] }
  | { readonly kind: 'other'; readonly tag: number }

/** Throws `DerError`. */
export function generalName({ tag, content }: Element): GeneralName {
  switch (tag) {
    case 0x81:
      return { kind: 'email', text: ascii(content) }
    case 0x82:
      return { kind: 'dns', text: ascii(content).toLowerCase() }
    case 0x86:
      return { kind: 'uri', text: ascii(content) }
    case 0x87:
      return { kind: 'address', bytes: content }
    case 0xa4:
      return { kind: 'directory', parts: comparableName(content) }
    default:
      return { kind: 'other', tag }
  }
}

/** IA5String is ASCII; a zero byte would end the name for programs in C. */
function ascii(bytes: Buffer): string {
  if (bytes.some((byte) => byte === 0 || byte >= 0x80)) throw new DerError('a name that is not ASCII')
  return bytes.toString('latin1')
}

/** The value of a subject alternative name extension. Throws `DerError`. */
export const generalNames = (value: Buffer): readonly GeneralName[] =>
  elements(only(value, 0x30).content).map(generalName)
