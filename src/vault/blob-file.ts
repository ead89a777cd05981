/** Large values outside the database: AES-256-GCM under a data key of their own, which the account's key seals. */
import { decrypt, encrypt, lengths, randomKey } from './aead.ts'
import type { SealContext, Sealed } from './sealed-value.ts'
import type { Vault } from './vault.ts'

const MAGIC = Buffer.from('MOB1')
const LENGTH_BYTES = 2

const bound = ({ table, key, column, account }: SealContext): Buffer =>
  lengths('merlon/v1/blob', table, key, column, account)

/** `MOB1` ‖ length ‖ the sealed data key ‖ nonce ‖ ciphertext ‖ tag. */
export function sealBlob(vault: Vault, place: SealContext, plaintext: Uint8Array): Buffer {
  const dataKey = randomKey()
  try {
    const wrapped = Buffer.from(vault.seal(place, dataKey))
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt16BE(wrapped.length)
    return Buffer.concat([MAGIC, length, wrapped, encrypt(dataKey, plaintext, bound(place))])
  } finally {
    dataKey.fill(0)
  }
}

/** Throws `VaultError` when it was made elsewhere, moved or changed. */
export function openBlob(vault: Vault, place: SealContext, bytes: Buffer): Buffer {
  const start = MAGIC.length + LENGTH_BYTES
  if (bytes.length < start || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw vault.reportTampering(place)
  const end = start + bytes.readUInt16BE(MAGIC.length)
  const dataKey = vault.open(place, bytes.toString('latin1', start, end) as Sealed)
  const plaintext = decrypt(dataKey, bytes.subarray(end), bound(place))
  dataKey.fill(0)
  if (!plaintext) throw vault.reportTampering(place)
  return plaintext
}
