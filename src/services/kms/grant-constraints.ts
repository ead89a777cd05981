/** What binds a grant to encryption contexts, and how narrowly. */
import { isSymmetric } from './key-specs.ts'
import type { GrantConstraints, KeyRow } from './rows.ts'
import { invalid } from './words.ts'

type Pairs = Readonly<Record<string, string>>

const PAIRS_MAX = 8
const VALUE_LENGTH_MAX = 384

/**
 * What a request means: Terraform sends both constraints, one of them empty, and an empty subset requires nothing.
 * Every check of a request uses this.
 */
export function meantBy(requested: GrantConstraints | undefined): GrantConstraints | undefined {
  const { EncryptionContextEquals: exact, EncryptionContextSubset, SourceArn } = requested ?? {}
  const subset = isGiven(EncryptionContextSubset) ? EncryptionContextSubset : undefined
  const meant: GrantConstraints = {
    ...(exact && (isGiven(exact) || !subset) && { EncryptionContextEquals: { ...exact } }),
    ...(subset && { EncryptionContextSubset: { ...subset } }),
    ...(SourceArn !== undefined && { SourceArn }),
  }
  return Object.keys(meant).length > 0 ? meant : undefined
}

const isGiven = (pairs: Pairs | undefined): boolean => pairs !== undefined && Object.keys(pairs).length > 0

export function checkedConstraints(row: KeyRow, requested: GrantConstraints | undefined): GrantConstraints | undefined {
  const meant = meantBy(requested)
  const { EncryptionContextEquals: exact, EncryptionContextSubset: subset } = meant ?? {}
  if (exact && subset) throw invalid('Only one of EncryptionContextEquals and EncryptionContextSubset can be given.')
  const pairs = exact ?? subset
  if (!pairs) return meant
  if (!isSymmetric(row)) throw invalid('Encryption context constraints need a symmetric encryption KMS key.')
  const values = Object.values(pairs)
  if (values.length > PAIRS_MAX) throw invalid(`A grant constraint can have at most ${PAIRS_MAX} pairs.`)
  if (values.some((value) => value.length > VALUE_LENGTH_MAX)) {
    throw invalid(`A value in a grant constraint can have at most ${VALUE_LENGTH_MAX} characters.`)
  }
  return meant
}

export function satisfies(context: Pairs, constraints: GrantConstraints | undefined): boolean {
  const { EncryptionContextEquals: exact, EncryptionContextSubset: subset } = constraints ?? {}
  return (!exact || equals(context, exact)) && (!subset || contains(context, subset))
}

/** Whether all that the child admits the parent admits too. */
export function isAsStrict(child: GrantConstraints | undefined, parent: GrantConstraints | undefined): boolean {
  const { EncryptionContextEquals: exact, EncryptionContextSubset: subset } = parent ?? {}
  if (exact && !(child?.EncryptionContextEquals && equals(child.EncryptionContextEquals, exact))) return false
  const least = child?.EncryptionContextEquals ?? child?.EncryptionContextSubset ?? {}
  return !subset || contains(least, subset)
}

function contains(outer: Pairs, inner: Pairs): boolean {
  return Object.entries(inner).every(([name, value]) => Object.hasOwn(outer, name) && outer[name] === value)
}

function equals(a: Pairs, b: Pairs): boolean {
  return contains(a, b) && Object.keys(a).length === Object.keys(b).length
}
