import { expect, it } from 'vitest'
import { checksum, checksumOfHeader } from './checksums.ts'

// The check values of the catalogue of parametrised CRC algorithms: over the digits 1 to 9.
it.each([
  ['CRC32', 'cbf43926'],
  ['CRC32C', 'e3069283'],
  ['CRC64NVME', 'ae8b14860a799888'],
] as const)('%s of the check text is the published value', (name, hex) => {
  expect(checksum(name, Buffer.from('123456789'))).toBe(Buffer.from(hex, 'hex').toString('base64'))
})

it('knows no checksum by a header that names none', () => {
  expect(checksumOfHeader('x-amz-checksum-crc64nvme')).toBe('CRC64NVME')
  expect(checksumOfHeader('x-amz-checksum-xxhash3')).toBeUndefined()
  expect(checksumOfHeader('content-md5')).toBeUndefined()
})
