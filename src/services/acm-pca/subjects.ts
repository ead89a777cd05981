/** Distinguished names as the API writes them. */
import type { ASN1Subject } from '../../../models/schemas/acm-pca.types.ts'
import { type Attribute, attributeOids, distinguishedName } from '../../engines/x509/names.ts'
import type { Strict } from '../../wire/typed.ts'
import { pca } from './resources.ts'

/** Country first, common name last: from the general to the special. */
const ORDER = [
  'Country',
  'State',
  'Locality',
  'Organization',
  'OrganizationalUnit',
  'DistinguishedNameQualifier',
  'SerialNumber',
  'Title',
  'Surname',
  'GivenName',
  'Initials',
  'Pseudonym',
  'GenerationQualifier',
  'CommonName',
] as const

const OID = /^[0-2](?:\.\d{1,18}){1,30}$/

/** DER. */
export function subjectOf(subject: Strict<ASN1Subject>): Buffer {
  const named: readonly Attribute[] = ORDER.flatMap((name) => {
    const value = subject[name]
    return value === undefined ? [] : [{ oid: attributeOids[name], value }]
  })
  const custom = subject.CustomAttributes ?? []
  if (custom.length > 0 && named.length > 0)
    throw pca.fail('InvalidArgsException', 'A subject has either standard attributes or CustomAttributes.')
  if (named.some(({ oid, value }) => oid === attributeOids.Country && !/^[A-Za-z]{2}$/.test(value)))
    throw pca.fail('InvalidArgsException', 'Country is a code of two letters.')
  if (custom.some(({ ObjectIdentifier }) => !OID.test(ObjectIdentifier)))
    throw pca.fail('InvalidArgsException', 'An ObjectIdentifier of the subject is not valid.')
  return distinguishedName([
    ...named,
    ...custom.map(({ ObjectIdentifier, Value }) => ({ oid: ObjectIdentifier, value: Value })),
  ])
}
