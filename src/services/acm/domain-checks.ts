/**
 * What DNS answers for a domain: the record that proves it, and which authorities may issue for it (CAA, RFC 8659).
 * Zones of this installation are read directly; other names are queried at all configured resolvers, which have to
 * agree.
 */
import { ancestorsOf } from '../../engines/dns/zones.ts'
import { domainRecords } from '../../kernel/ports/domain-records.ts'
import { hostedZones } from '../../kernel/ports/hosted-zones.ts'
import type { JobContext } from '../../kernel/service/service.ts'

type Context = Pick<JobContext, 'reader' | 'use'>

interface Answer {
  readonly resolver: string
  readonly rcode: string | undefined
  readonly records: readonly { readonly name: string; readonly type: string; readonly data: unknown }[]
}

const OWN = 'the zones of this installation'

async function answersOf(
  { reader, use }: Context,
  name: string,
  type: 'CNAME' | 'CAA',
): Promise<{ readonly apex?: string | undefined; readonly answers: readonly Answer[] }> {
  const own = await use(hostedZones).lookup(reader, name, type)
  if (own && (own.authoritative || own.rcode !== 'NOERROR'))
    return {
      apex: own.authorities.find(({ type: each }) => each === 'SOA')?.name,
      answers: [{ resolver: OWN, rcode: own.rcode, records: own.answers }],
    }
  return { answers: await use(domainRecords).lookup(name, type) }
}

const sameName = (a: string, b: string): boolean =>
  a.toLowerCase().replace(/\.$/, '') === b.toLowerCase().replace(/\.$/, '')

/** What one server answered, in few words. */
export interface ServerAnswer {
  readonly server: string
  readonly answer: string
}

export interface RecordCheck {
  readonly isProved: boolean
  readonly answers: readonly ServerAnswer[]
  /** A sentence for the administrator. */
  readonly finding: string
}

/** The record must exist at the name itself: an alias of another name is not followed. */
export async function checkRecord(
  context: Context,
  { name, value }: { readonly name: string; readonly value: string },
): Promise<RecordCheck> {
  const { answers: given } = await answersOf(context, name.toLowerCase(), 'CNAME')
  const answers = given.map((each) => printedAnswer(each, name))
  if (given.length === 0) return { isProved: false, answers, finding: 'No DNS resolver is configured.' }
  for (const { resolver, rcode, records } of given) {
    if (rcode === undefined) return { isProved: false, answers, finding: `${resolver} did not answer for ${name}` }
    const found = records.filter((record) => record.type === 'CNAME' && sameName(record.name, name))
    const right = found.some(({ data }) => typeof data === 'string' && sameName(data, value))
    if (right) continue
    const what =
      found.length === 0
        ? `has no CNAME record ${name} (${rcode})`
        : `has ${name} CNAME ${found.map(({ data }) => data).join(', ')}`
    return { isProved: false, answers, finding: `${resolver} ${what}; expected CNAME ${value}` }
  }
  return { isProved: true, answers, finding: `CNAME ${name} is ${value}` }
}

const ANSWER_LENGTH_MAX = 300

function printedAnswer({ resolver, rcode, records }: Answer, name: string): ServerAnswer {
  const found = records.filter((record) => record.type === 'CNAME' && sameName(record.name, name))
  const text = found.map(({ data }) => `CNAME ${data}`).join(', ')
  return { server: resolver, answer: (text || (rcode ?? 'no answer')).slice(0, ANSWER_LENGTH_MAX) }
}

/** The names by which a domain allows this authority. Default: those of ACM, so that records for it keep their meaning. */
const issuerIds = (): readonly string[] =>
  (process.env['MERLON_CAA_ISSUERS'] ?? 'amazon.com,amazontrust.com,awstrust.com,amazonaws.com')
    .split(',')
    .map((name) => name.trim().toLowerCase())

interface CaaData {
  readonly flags?: number
  readonly tag: string
  readonly value: string
  readonly issuerCritical?: boolean
}

const KNOWN_TAGS = new Set(['issue', 'issuewild', 'iodef', 'issuemail', 'issuevmc', 'contactemail', 'contactphone'])

export type CaaVerdict = { readonly verdict: 'allowed' | 'forbidden' | 'unknown'; readonly finding: string }

/** RFC 8659 §3: the closest name with CAA records decides; a wildcard by `issuewild` where there is one. */
export async function checkCaa(context: Context, domain: string, isWildcard: boolean): Promise<CaaVerdict> {
  for (const name of ancestorsOf(`${domain}.`)) {
    const { apex, answers } = await answersOf(context, name, 'CAA')
    let found: readonly CaaData[] = []
    for (const { resolver, rcode, records } of answers) {
      if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN')
        return { verdict: 'unknown', finding: `${resolver} did not answer whether ${name} has CAA records` }
      const caa = records.filter(({ type }) => type === 'CAA').map(({ data }) => data as CaaData)
      if (caa.length > 0 && !permits(caa, isWildcard))
        return { verdict: 'forbidden', finding: `the CAA records of ${name} do not name ${issuerIds().join(' or ')}` }
      found = [...found, ...caa]
    }
    if (found.length > 0) return { verdict: 'allowed', finding: `the CAA records of ${name} allow it` }
    // A zone of this installation is authoritative: no zone above is queried.
    if (apex === name) break
  }
  return { verdict: 'allowed', finding: 'no CAA records' }
}

function permits(records: readonly CaaData[], isWildcard: boolean): boolean {
  // RFC 8659 §4.1: a critical property that is not understood forbids.
  const isCritical = ({ flags = 0, issuerCritical }: CaaData) => issuerCritical ?? (flags & 0x80) !== 0
  if (records.some((each) => isCritical(each) && !KNOWN_TAGS.has(each.tag.toLowerCase()))) return false
  const tagged = (tag: string) => records.filter((each) => each.tag.toLowerCase() === tag)
  const wild = tagged('issuewild')
  const deciding = isWildcard && wild.length > 0 ? wild : tagged('issue')
  if (deciding.length === 0) return true
  return deciding.some(({ value }) => issuerIds().includes(value.split(';')[0]!.trim().toLowerCase()))
}
