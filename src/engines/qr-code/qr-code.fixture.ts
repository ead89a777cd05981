/** Reads a QR code back, as an authenticator app does. */
import { inflateSync } from 'node:zlib'
import jsqr from 'jsqr'

/** The module is CommonJS: its function is the default of what is imported. */
type Decode = (pixels: Uint8ClampedArray, width: number, height: number) => { readonly data: string } | null
const decode = ((jsqr as { default?: unknown }).default ?? jsqr) as Decode

/** The text in an eight-bit gray PNG. */
export function readQrCode(png: Uint8Array): string | undefined {
  const bytes = Buffer.from(png)
  const size = bytes.readUInt32BE(16)
  const data = bytes.subarray(bytes.indexOf('IDAT') + 4)
  const lines = inflateSync(data)
  const pixels = new Uint8ClampedArray(size * size * 4)
  for (let i = 0; i < size * size; i++)
    pixels.fill(lines[Math.floor(i / size) * (size + 1) + 1 + (i % size)]!, i * 4, i * 4 + 4)
  return decode(pixels, size, size)?.data
}
