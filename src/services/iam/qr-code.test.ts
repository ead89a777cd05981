import { inflateSync } from 'node:zlib'
import { CreateVirtualMFADeviceCommand, IAMClient } from '@aws-sdk/client-iam'
import jsqr from 'jsqr'
import { expect, test } from 'vitest'
import { ACCOUNT, cloud } from '../../../test/cloud.ts'

/** The module is CommonJS: its function is the default of what is imported. */
type Decode = (pixels: Uint8ClampedArray, width: number, height: number) => { readonly data: string } | null
const decode = ((jsqr as { default?: unknown }).default ?? jsqr) as Decode

/** What a camera would see of an eight-bit grey PNG. */
function read(png: Uint8Array): string | undefined {
  const bytes = Buffer.from(png)
  const size = bytes.readUInt32BE(16)
  const data = bytes.subarray(bytes.indexOf('IDAT') + 4)
  const lines = inflateSync(data)
  const pixels = new Uint8ClampedArray(size * size * 4)
  for (let i = 0; i < size * size; i++)
    pixels.fill(lines[Math.floor(i / size) * (size + 1) + 1 + (i % size)]!, i * 4, i * 4 + 4)
  return decode(pixels, size, size)?.data
}

test('an authenticator app can read the picture of a new device', async () => {
  const { client } = await cloud()

  const made = await client(IAMClient).send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }))
  const { QRCodePNG, Base32StringSeed } = made.VirtualMFADevice!

  const secret = Buffer.from(Base32StringSeed!).toString()
  expect(read(QRCodePNG!)).toBe(
    `otpauth://totp/Amazon%20Web%20Services:phone@${ACCOUNT}?secret=${secret}&issuer=Amazon%20Web%20Services`,
  )
})
