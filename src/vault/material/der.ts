/** Just enough DER (ITU-T X.690) for the keys that Node does not know: SPKI and PKCS #8 of post-quantum algorithms. */

const SEQUENCE = 0x30
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const OID = 0x06
/** `[0] IMPLICIT`, primitive. */
const CONTEXT_0 = 0x80

/** RFC 5280 §4.1.2.7. */
export function encodeSpki(oid: string, publicKey: Uint8Array): Buffer {
  const algorithm = tlv(SEQUENCE, tlv(OID, oidBytes(oid)))
  return tlv(SEQUENCE, algorithm, tlv(BIT_STRING, Buffer.of(0), publicKey))
}

/** The AlgorithmIdentifier of an SPKI that has been read already. */
export function algorithmOf(spki: Buffer): Buffer {
  const at = spki[1]! < 0x80 ? 2 : 2 + (spki[1]! & 0x7f)
  return spki.subarray(at, at + 2 + spki[at + 1]!)
}

/** RFC 5958, with the seed alone: `[0] seed` of RFC 9881 §6 and RFC 9935 §6. */
export function encodeSeed(oid: string, seed: Uint8Array): Buffer {
  const algorithm = tlv(SEQUENCE, tlv(OID, oidBytes(oid)))
  return tlv(SEQUENCE, tlv(INTEGER, Buffer.of(0)), algorithm, tlv(OCTET_STRING, tlv(CONTEXT_0, seed)))
}

/** undefined unless it is exactly a seed of this algorithm and length. */
export function decodeSeed(oid: string, seedBytes: number, der: Uint8Array): Buffer | undefined {
  const seed = Buffer.from(der.subarray(der.length - seedBytes))
  return seed.length === seedBytes && encodeSeed(oid, seed).equals(Buffer.from(der)) ? seed : undefined
}

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.of(tag), lengthBytes(body.length), body])
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  if (length < 0x100) return Buffer.of(0x81, length)
  return Buffer.of(0x82, length >> 8, length & 0xff)
}

function oidBytes(oid: string): Buffer {
  const [first, second, ...rest] = oid.split('.').map(Number)
  const bytes = [first! * 40 + second!]
  for (const arc of rest) {
    const digits = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
    bytes.push(...digits)
  }
  return Buffer.from(bytes)
}
