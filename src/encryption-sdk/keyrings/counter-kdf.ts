/** NIST SP 800-108, counter mode with HMAC: the KDF of the ECDH and hierarchical keyrings. */
import { createHmac } from 'node:crypto'

/** `bytes` from a key: HMAC(counter ‖ label ‖ 0 ‖ nonce ‖ length in bits), as often as needed. */
export function counterKdf(
  hash: 'sha256' | 'sha384',
  key: Buffer,
  label: Buffer,
  nonce: Buffer,
  bytes: number,
): Buffer {
  const bits = Buffer.alloc(4)
  bits.writeUInt32BE(bytes * 8)
  const input = Buffer.concat([label, Buffer.from([0]), nonce, bits])
  const blocks: Buffer[] = []
  let length = 0
  for (let counter = 1; length < bytes; counter++) {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(counter)
    const block = createHmac(hash, key).update(number).update(input).digest()
    blocks.push(block)
    length += block.length
  }
  return Buffer.concat(blocks).subarray(0, bytes)
}
