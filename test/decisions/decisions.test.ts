/** A peer's 588 decisions, ours beside them; every difference is listed with its reason, and must stay a difference. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decideRow, outcome, type Row } from './harness.ts'

const rows: readonly Row[] = readFileSync(new URL('iam-decisions.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))

interface Difference {
  readonly reason: string
  readonly ids: RegExp
}

const differences: readonly Difference[] = [
  {
    reason:
      'No request names a pattern: a wildcard in the requested resource is a character like any other, and an action ' +
      'without resources needs "*" (Service Authorization Reference, "Resource types"). The peer tests what could match.',
    ids: /crossPatternIntersections\.json#[0-3]$|requestWildcards\.json#(0|1|8|9|10)$|iamsim-resource\/#(24|27|28)$/,
  },
  {
    reason:
      'Not the policy language: IAM itself refuses to change what AWS manages (UnmodifiableEntity). It is the services ' +
      'that must refuse, after authorisation.',
    ids: /managedPolicies\/aws\/denied\.json#[0-6]$|roles\/reserved\/denied\.json#\d+$|kms\/aliases\.json#[345]$/,
  },
  {
    reason:
      'A resource policy that names the session itself allows without the session policy (IAM User Guide, "Session ' +
      'policies").',
    ids: /sessionPolicies\.json#7$/,
  },
  {
    reason:
      'A Deny with NotPrincipal spares a role session only if its account, role and session are all listed (IAM User ' +
      'Guide, "NotPrincipal").',
    ids: /boundaryNotPrincipalDenyResource\.json#0$/,
  },
  {
    reason: 'Epoch times of date conditions are in seconds (IAM User Guide, "Date condition operators").',
    ids: /DateEquals#1$/,
  },
  {
    reason:
      "A wildcard may match the resource type: EC2's own examples write arn:aws:ec2:region:account:*/* (EC2 User " +
      'Guide, "Example policies").',
    ids: /iamsim-resource\/#(12|14)$/,
  },
  {
    reason:
      'An ARN cut short is completed with wildcards, and NotResource is everything that it does not match (IAM User ' +
      'Guide, "Resource").',
    ids: /iamsim-resource\/#(155|156|209|210|211|212)$/,
  },
]

const differing = (row: Row) => differences.find(({ ids }) => ids.test(row.id))
const agrees = (row: Row) => {
  const ours = outcome(decideRow(row))
  return ours === row.expected || (row.expected === 'Denied' && ours !== 'Allowed')
}

describe('a decision agrees with the peer', () => {
  const byCategory = groupBy(rows)
  test.each([...byCategory])('%s', (_source, rows) => {
    const wrong = rows.filter((row) => !differing(row) && !agrees(row)).map((row) => `${row.id}: ${row.name}`)

    expect(wrong).toEqual([])
  })
})

describe('a decision differs from the peer', () => {
  test.each(differences)('$reason', ({ ids }) => {
    const listed = rows.filter((row) => ids.test(row.id))

    expect(listed).not.toEqual([])
    expect(listed.filter(agrees).map((row) => row.id)).toEqual([])
  })
})

test('no row is lost', () => {
  expect(rows).toHaveLength(588)
  expect(rows.filter(differing)).toHaveLength(49)
})

/** By the file of the peer's tests. */
function groupBy(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const file = row.source.split(' ').at(-1)!
    groups.set(file, [...(groups.get(file) ?? []), row])
  }
  return groups
}
