/**
 * Text from untrusted sources, for a terminal: names, messages and user agents in the audit log may hold control
 * sequences, line ends and marks that turn the direction of writing. They are shown, and have no effect.
 */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu

export const plain = (text: string): string =>
  text.replace(ACTIVE, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`)

/** Every text in it. */
export const plainly = <T extends object>(object: T): T =>
  JSON.parse(JSON.stringify(object), (_name, value: unknown) => (typeof value === 'string' ? plain(value) : value))
