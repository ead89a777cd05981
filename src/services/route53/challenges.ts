/**
 * TXT records by which this installation proves a name to another authority (RFC 8555 §8.4). They are answered beside the
 * record sets of the zone, which belong to its owner and do not change.
 */
import type { RecordSet } from '../../engines/dns/records.ts'
import { putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { key, type Unit, under } from '../../store/store.ts'
import { isWithin } from './names.ts'

export const FORGET_CHALLENGE = 'route53.forget-challenge'
const TTL = 0

interface ChallengeRow {
  /** Fully qualified, lower case. */
  readonly name: string
  readonly value: string
  readonly expiresAt: number
}

export const allChallenges = under('route53', 'challenge')
const challengeKey = (name: string, value: string) => key('route53', 'challenge', name, value)

/** `value` is letters, digits, `-` and `_`: a digest in base64url. */
export const putChallenge = (unit: Unit, name: string, value: string, expiresAt: number): void =>
  putExpiring(unit, FORGET_CHALLENGE, challengeKey(name, value), { name, value, expiresAt } satisfies ChallengeRow)

export const deleteChallenge = (unit: Unit, name: string, value: string): void => unit.delete(challengeKey(name, value))

/** The record sets of a zone, with its challenges. */
export async function withChallenges(
  reader: Reader,
  zone: string,
  records: readonly RecordSet[],
): Promise<readonly RecordSet[]> {
  const challenges = (await reader.range<ChallengeRow>(allChallenges))
    .map(({ document }) => document)
    .filter(({ name }) => isWithin(name, zone))
  const names = new Set(challenges.map(({ name }) => name))
  if (names.size === 0) return records
  const isChallenged = ({ name, type }: RecordSet) => type === 'TXT' && names.has(name)
  const others = records.filter((set) => !isChallenged(set))
  const answered = [...names].map((name): RecordSet => {
    const own = records.find((set) => isChallenged(set) && set.name === name)
    const values = challenges.filter((each) => each.name === name).map(({ value }) => JSON.stringify(value))
    return { name, type: 'TXT', ttl: TTL, values: [...(own?.values ?? []), ...values] }
  })
  return [...others, ...answered]
}
