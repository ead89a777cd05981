/** Distinguished names (RFC 5280 §4.1.2.4) built from attributes, each in a set of its own. */
import { objectId, sequence, set, tagged, utf8 } from './der.ts'
import { DerError, type Element, elements, expectTag, only, readObjectId } from './der-read.ts'

const PRINTABLE_STRING = 0x13
const IA5_STRING = 0x16

/** By the names of AWS Private CA. */
export const attributeOids = {
  Country: '2.5.4.6',
  Organization: '2.5.4.10',
  OrganizationalUnit: '2.5.4.11',
  DistinguishedNameQualifier: '2.5.4.46',
  State: '2.5.4.8',
  CommonName: '2.5.4.3',
  SerialNumber: '2.5.4.5',
  Locality: '2.5.4.7',
  Title: '2.5.4.12',
  Surname: '2.5.4.4',
  GivenName: '2.5.4.42',
  Initials: '2.5.4.43',
  Pseudonym: '2.5.4.65',
  GenerationQualifier: '2.5.4.44',
  DomainComponent: '0.9.2342.19200300.100.1.25',
} as const

const PRINTABLE: ReadonlySet<string> = new Set([
  attributeOids.Country,
  attributeOids.SerialNumber,
  attributeOids.DistinguishedNameQualifier,
])

export interface Attribute {
  readonly oid: string
  readonly value: string
}

/** DER of the name. */
export const distinguishedName = (attributes: readonly Attribute[]): Buffer =>
  sequence(...attributes.map(({ oid, value }) => set(sequence(objectId(oid), text(oid, value)))))

function text(oid: string, value: string): Buffer {
  if (PRINTABLE.has(oid)) return tagged(PRINTABLE_STRING, Buffer.from(value, 'ascii'))
  return oid === attributeOids.DomainComponent ? tagged(IA5_STRING, Buffer.from(value, 'ascii')) : utf8(value)
}

/** The attributes of a name in DER. Throws `DerError`. */
export function readName(name: Buffer): readonly Attribute[] {
  return elements(only(name, 0x30).content, 64).flatMap((relative) =>
    elements(expectTag(relative, 0x31).content, 16).map((attribute) => {
      const [type, value] = elements(expectTag(attribute, 0x30).content, 3)
      return { oid: readObjectId(expectTag(type, 0x06)), value: value!.content.toString('utf8') }
    }),
  )
}

/** Tags of strings that are compared as text (RFC 5280 §7.1), and how their bytes are read. */
const TEXTS: Readonly<Record<number, (bytes: Buffer) => string>> = {
  12: (bytes) => bytes.toString('utf8'),
  [PRINTABLE_STRING]: (bytes) => bytes.toString('latin1'),
  20: (bytes) => bytes.toString('latin1'),
  [IA5_STRING]: (bytes) => bytes.toString('latin1'),
  26: (bytes) => bytes.toString('latin1'),
  30: (bytes) =>
    Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le'),
}

/**
 * The parts of a name in a form in which equal names are equal texts (RFC 5280 §7.1): letters in any case, blanks in any number, and
 * any type of string. From the root to the leaf. Throws `DerError`.
 *
 * @example
 * comparableName(distinguishedName([{ oid: '2.5.4.3', value: 'Example  CA' }])) // ['2.5.4.3=example ca']
 */
export const comparableName = (name: Buffer): readonly string[] =>
  elements(only(name, 0x30).content, 64).map((relative) =>
    elements(expectTag(relative, 0x31).content, 16).map(comparableAttribute).sort().join('+'),
  )

function comparableAttribute(attribute: Element): string {
  const [type, value] = elements(expectTag(attribute, 0x30).content, 3)
  if (!value) throw new DerError('an attribute without a value')
  const text = TEXTS[value.tag]?.(value.content)
  const compared = text?.trim().replace(/\s+/g, ' ').toLowerCase()
  // Escaped, so that no value can look like two.
  return `${readObjectId(expectTag(type, 0x06))}=${compared === undefined ? `#${value.whole.toString('hex')}` : encodeURI(compared.toWellFormed())}`
}
