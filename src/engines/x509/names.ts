/** Distinguished names (RFC 5280 §4.1.2.4) built from attributes, each in a set of its own. */
import { objectId, sequence, set, tagged, utf8 } from './der.ts'
import { elements, expectTag, only, readObjectId } from './der-read.ts'

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
