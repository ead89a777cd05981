/** The QR code of a new MFA device. */
import { CreateVirtualMFADeviceCommand, IAMClient } from '@aws-sdk/client-iam'
import { expect, test } from 'vitest'
import { ACCOUNT, cloud } from '../../../../test/cloud.ts'
import { readQrCode } from '../../../engines/qr-code/qr-code.fixture.ts'

test('an authenticator app can read the picture of a new device', async () => {
  const { client } = await cloud()

  const made = await client(IAMClient).send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }))
  const { QRCodePNG, Base32StringSeed } = made.VirtualMFADevice!

  const secret = Buffer.from(Base32StringSeed!).toString()
  expect(readQrCode(QRCodePNG!)).toBe(
    `otpauth://totp/Amazon%20Web%20Services:phone@${ACCOUNT}?secret=${secret}&issuer=Amazon%20Web%20Services`,
  )
})
