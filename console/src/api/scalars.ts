/** Values without members, as text on the wire and as the SDK's types in the program. */
import type { Shape, TimestampFormat } from '../../../src/wire/shape.ts'

export function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** Accepts what a form holds as well: an ISO 8601 text for a time, UTF-8 text for bytes. */
export function timestampText(value: unknown, format: TimestampFormat): string {
  const date = value instanceof Date ? value : new Date(value as string)
  if (format === 'epoch-seconds') return String(date.getTime() / 1000)
  return format === 'http-date' ? date.toUTCString() : date.toISOString().replace('.000Z', 'Z')
}

export function bytesText(value: unknown): string {
  return base64(value instanceof Uint8Array ? value : new TextEncoder().encode(String(value)))
}

/** Of forms, XML elements, headers and paths. */
export function toText(shape: Shape, value: unknown, format: TimestampFormat = 'date-time'): string {
  if (shape.kind === 'timestamp') return timestampText(value, shape.format ?? format)
  if (shape.kind === 'blob' || shape.kind === 'stream') return bytesText(value)
  return String(value)
}

export function fromText(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case 'number':
    case 'bigint':
    case 'bigdecimal':
      return Number(text)
    case 'boolean':
      return text === 'true'
    case 'timestamp':
      return timestampOf(text)
    case 'blob':
    case 'stream':
      return fromBase64(text)
    default:
      return text
  }
}

/** Seconds since 1970, or any of the formats of HTTP and ISO 8601. */
export function timestampOf(value: string | number): Date {
  const seconds = typeof value === 'number' ? value : /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined
  return seconds === undefined ? new Date(value) : new Date(seconds * 1000)
}
