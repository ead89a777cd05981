/** A QR code (ISO/IEC 18004) as a PNG picture, for authenticator apps. Pure. */
import { crc32, deflateSync } from 'node:zlib'
import qrcode from 'qrcode-generator'

const PIXELS_A_MODULE = 4
/** ISO/IEC 18004: four modules of white on each side. */
const QUIET_MODULES = 4

export function qrCodePng(text: string): Buffer {
  const code = qrcode(0, 'M')
  code.addData(text)
  code.make()
  const modules = code.getModuleCount()
  const dark = (row: number, column: number) =>
    row >= 0 && column >= 0 && row < modules && column < modules && code.isDark(row, column)

  const size = (modules + 2 * QUIET_MODULES) * PIXELS_A_MODULE
  const moduleAt = (pixel: number) => Math.floor(pixel / PIXELS_A_MODULE) - QUIET_MODULES
  // A line of a PNG: its filter (none), then a byte a pixel.
  const lines = Buffer.alloc(size * (size + 1))
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) lines[y * (size + 1) + 1 + x] = dark(moduleAt(y), moduleAt(x)) ? 0x00 : 0xff
  }
  return grayPng(size, lines)
}

/** Source: https://www.w3.org/TR/png/ §11.2 */
function grayPng(size: number, lines: Buffer): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  // Eight bits of gray; compression, filter and interlace at their only or plain values.
  header[8] = 8
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
