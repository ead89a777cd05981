/** PEM (RFC 7468): texts that consist of blocks of one label. Pure. */

/**
 * The blocks of a text that contains nothing else but white space; none when it does.
 *
 * @example
 * pemBlocks(text, 'CERTIFICATE').length // 1
 */
export function pemBlocks(text: string, label: string): readonly string[] {
  const block = new RegExp(`-----BEGIN ${label}-----[A-Za-z0-9+/=\\s]+?-----END ${label}-----`, 'g')
  return text.replace(block, '').trim() === '' ? (text.match(block) ?? []) : []
}
