/** QR codes can be read back. */
import { expect, test } from 'vitest'
import { readQrCode } from './qr-code.fixture.ts'
import { qrCodePng } from './qr-code.ts'

test.each([['a'], ['otpauth://totp/x?secret=MZXW6YTB'], ['x'.repeat(500)]])('%s', (text) => {
  expect(readQrCode(qrCodePng(text))).toBe(text)
})
