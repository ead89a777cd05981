/** Writes a database in MaxMind's format of one network of IPv4 whose prefix has eight bits, with one record. */

/** From 29 characters on, the length is in a byte of its own. */
const head = (length: number): number[] => (length < 29 ? [0x40 + length] : [0x40 + 29, length - 29])
const text = (value: string): Buffer => Buffer.concat([Buffer.from(head(value.length)), Buffer.from(value)])
const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return Buffer.concat([Buffer.from([0xc4]), bytes])
}

type Value = string | number | { readonly [name: string]: Value }
const encoded = (value: Value): Buffer => {
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number') return number(value)
  const members = Object.entries(value)
  return Buffer.concat([
    Buffer.from([0xe0 + members.length]),
    ...members.flatMap(([name, member]) => [text(name), encoded(member)]),
  ])
}

const BITS = 8

export function mmdbOf(firstByte: number, record: Record<string, Value>): Buffer {
  // Eight nodes, of two records of 24 bits; the last one leads to the data, all others off the path to nothing.
  const nodes = Buffer.alloc(BITS * 6)
  for (let node = 0; node < BITS; node++) {
    const bit = (firstByte >> (7 - node)) & 1
    const next = node === BITS - 1 ? BITS + 16 : node + 1
    nodes.writeUIntBE(bit === 0 ? next : BITS, node * 6, 3)
    nodes.writeUIntBE(bit === 1 ? next : BITS, node * 6 + 3, 3)
  }
  const metadata = {
    node_count: BITS,
    record_size: 24,
    ip_version: 4,
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 0,
    database_type: 'Test',
  }
  const marker = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from('MaxMind.com')])
  return Buffer.concat([nodes, Buffer.alloc(16), encoded(record), marker, encoded(metadata)])
}
