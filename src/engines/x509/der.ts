/** DER (ITU-T X.690) as far as certificates need it: values as bytes. */

const length = (bytes: number): Buffer => {
  if (bytes < 0x80) return Buffer.from([bytes])
  const digits: number[] = []
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return Buffer.from([0x80 | digits.length, ...digits])
}

export function tagged(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), length(body.length), body])
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => tagged(0x30, ...items)
export const set = (...items: readonly Uint8Array[]): Buffer => tagged(0x31, ...items)
export const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]))
export const octets = (bytes: Uint8Array): Buffer => tagged(0x04, bytes)
export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text, 'utf8'))
/** Context-specific, `[number]`: with a value of its own type inside where `constructed`. */
export const context = (number: number, constructed: boolean, ...contents: readonly Uint8Array[]): Buffer =>
  tagged((constructed ? 0xa0 : 0x80) | number, ...contents)

/** `unused` bits at the end of the last byte. */
export const bits = (bytes: Uint8Array, unused = 0): Buffer => tagged(0x03, Buffer.from([unused]), bytes)

/** A number that is not negative, big-endian. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const value = Buffer.from(bytes.subarray(start))
  return tagged(0x02, value[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), value]) : value)
}

export function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const digits = [part % 128]
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) digits.unshift(0x80 | (left % 128))
    return digits
  })
  return tagged(0x06, Buffer.from(bytes))
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from then on. */
export function time(at: Date): Buffer {
  const text = at.toISOString().replace(/[-:T]|\.\d+/g, '')
  return at.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(text.slice(2))) : tagged(0x18, Buffer.from(text))
}
