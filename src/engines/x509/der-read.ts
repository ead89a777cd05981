/** DER (ITU-T X.690) read one element at a time: lengths are checked against the bytes that are there, nothing recurses. */

/** Bytes that are not the DER that was expected. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

export interface Element {
  readonly tag: number
  readonly content: Buffer
  /** With its tag and length. */
  readonly whole: Buffer
}

/** The elements of a constructed value, or of a text of DER. Throws {@link DerError}. */
export function elements(bytes: Buffer, max = 1_000): readonly Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    if (found.length === max) throw new DerError('too many elements')
    const element = elementAt(bytes, at)
    found.push(element)
    at += element.whole.length
  }
  return found
}

function elementAt(bytes: Buffer, at: number): Element {
  const tag = bytes[at]!
  let length = bytes[at + 1]
  // Tags above 30 have more bytes; certificates have none.
  if (length === undefined || (tag & 0x1f) === 0x1f) throw new DerError('not an element')
  let start = at + 2
  if (length >= 0x80) {
    const digits = length & 0x7f
    if (digits === 0 || digits > 4 || start + digits > bytes.length) throw new DerError('a length that is not DER')
    length = bytes.readUIntBE(start, digits)
    if (length < 0x80) throw new DerError('a length that is not DER')
    start += digits
  }
  const end = start + length
  if (end > bytes.length) throw new DerError('a length beyond the end')
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) }
}

/** The one element that the bytes consist of. */
export function only(bytes: Buffer, tag: number): Element {
  const all = elements(bytes, 2)
  if (all.length !== 1 || all[0]!.tag !== tag) throw new DerError(`expected one element with tag ${tag}`)
  return all[0]!
}

export function expectTag(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw new DerError(`expected an element with tag ${tag}`)
  return element
}

/** `1.2.840.113549.1.1.11` */
export function readObjectId(element: Element): string {
  const { content } = expectTag(element, 0x06)
  const parts: number[] = []
  let value = 0
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f)
    if (value > Number.MAX_SAFE_INTEGER / 256) throw new DerError('an object identifier that is too large')
    if (byte & 0x80) continue
    parts.push(value)
    value = 0
  }
  const [first = 0, ...rest] = parts
  const root = Math.min(2, Math.floor(first / 40))
  return [root, first - 40 * root, ...rest].join('.')
}

/** Without the byte of unused bits. */
export function readBits(element: Element): Buffer {
  if (element.tag !== 0x03 || element.content.length === 0) throw new DerError('expected a bit string')
  return element.content.subarray(1)
}

/** A bit string of whole octets, as signatures are: another number of unused bits would be a second spelling of the same. */
export function readOctets(element: Element | undefined): Buffer {
  const { content } = expectTag(element, 0x03)
  if (content[0] !== 0) throw new DerError('expected a bit string of whole octets')
  return content.subarray(1)
}
