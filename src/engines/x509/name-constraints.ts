/**
 * Name constraints (RFC 5280 §4.2.1.10): the names below an authority. Pure. Stricter than the text in one place: a wildcard is
 * excluded, too, where one of the names it stands for is.
 *
 * @example
 * const constraints = parseNameConstraints(value)
 * isAllowed(constraints, { kind: 'dns', text: 'www.example.com' }, comparisons)
 */
import { DerError, elements, only } from './der-read.ts'
import { type GeneralName, generalName } from './general-names.ts'

export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

/** What is left of the comparisons that a caller pays for: names times constraints grow with both. */
export interface Comparisons {
  left: number
}

/** The comparisons of a caller are used up. */
export class ComparisonsError extends Error {
  override readonly name = 'ComparisonsError'
}

/** Throws `DerError`, also for a minimum or maximum, which no certificate may have. */
export function parseNameConstraints(value: Buffer): NameConstraints {
  const lists = elements(only(value, 0x30).content, 2)
  const of = (tag: number) => lists.find((list) => list.tag === tag)?.content ?? Buffer.alloc(0)
  if (lists.length === 0 || lists.some(({ tag }) => tag !== 0xa0 && tag !== 0xa1))
    throw new DerError('name constraints that are none')
  return { permitted: subtrees(of(0xa0)), excluded: subtrees(of(0xa1)) }
}

const subtrees = (list: Buffer): readonly GeneralName[] =>
  elements(list).map(({ tag, content }) => {
    const [base, ...more] = elements(content, 3)
    if (tag !== 0x30 || !base || more.length > 0) throw new DerError('a subtree with a minimum or maximum')
    const name = generalName(base)
    if (name.kind === 'address' && name.bytes.length !== 8 && name.bytes.length !== 32)
      throw new DerError('a range of addresses that is none')
    return name
  })

/** Throws a {@link ComparisonsError}. */
export function isAllowed(
  { permitted, excluded }: NameConstraints,
  name: GeneralName,
  comparisons: Comparisons,
): boolean {
  comparisons.left -= permitted.length + excluded.length
  if (comparisons.left < 0) throw new ComparisonsError('Too many names and constraints to compare.')
  const isOfKind = (base: GeneralName) =>
    base.kind === name.kind && (base.kind !== 'other' || base.tag === (name as typeof base).tag)
  const relevant = permitted.filter(isOfKind)
  if (relevant.length > 0 && !relevant.some((base) => isWithin(name, base, 'permitted'))) return false
  return !excluded.some((base) => isOfKind(base) && isWithin(name, base, 'excluded'))
}

/** A kind that is not compared is in every excluded subtree and in no permitted one. */
function isWithin(name: GeneralName, base: GeneralName, list: 'permitted' | 'excluded'): boolean {
  if (name.kind === 'dns' && base.kind === 'dns')
    return isHostBelow(name.text, base.text) || (list === 'excluded' && coversBase(name.text, base.text))
  if (name.kind === 'email' && base.kind === 'email') return isMailWithin(name.text, base.text)
  if (name.kind === 'uri' && base.kind === 'uri') {
    const host = hostOf(name.text)
    return host === undefined ? list === 'excluded' : isHostIn(host, base.text.toLowerCase())
  }
  if (name.kind === 'address' && base.kind === 'address') return isInRange(name.bytes, base.bytes)
  if (name.kind === 'directory' && base.kind === 'directory')
    return base.parts.every((part, index) => name.parts[index] === part)
  return list === 'excluded'
}

const isHostBelow = (name: string, base: string): boolean =>
  base === '' || name === base || name.endsWith(base.startsWith('.') ? base : `.${base}`)

/** `*.example.com` stands for `www.example.com`. */
function coversBase(name: string, base: string): boolean {
  if (!name.startsWith('*.')) return false
  const host = base.replace(/^\./, '')
  return host.slice(host.indexOf('.') + 1) === name.slice(2) && host.includes('.')
}

/** Of mailboxes and URIs: a base without a dot in front is one host. */
const isHostIn = (host: string, base: string): boolean => (base.startsWith('.') ? host.endsWith(base) : host === base)

function isMailWithin(mailbox: string, base: string): boolean {
  const at = mailbox.lastIndexOf('@')
  const host = mailbox.slice(at + 1).toLowerCase()
  if (at < 1) return false
  const baseAt = base.lastIndexOf('@')
  if (baseAt < 0) return isHostIn(host, base.toLowerCase())
  return mailbox.slice(0, at) === base.slice(0, baseAt) && host === base.slice(baseAt + 1).toLowerCase()
}

/** undefined for a URI without a host name, which constraints do not apply to (§4.2.1.10). */
function hostOf(uri: string): string | undefined {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:@[\]]+)(?::\d*)?(?:[/?#]|$)/i.exec(uri)?.[1]?.toLowerCase()
  return host === undefined || /^[\d.]+$/.test(host) ? undefined : host
}

function isInRange(address: Buffer, range: Buffer): boolean {
  const size = range.length / 2
  if (address.length !== size) return false
  return address.every((byte, index) => ((byte ^ range[index]!) & range[size + index]!) === 0)
}
