/** What an organization does at work is not found; each attack on it is, by exactly its finding types. */
import { beforeAll, describe, expect, test } from 'vitest'
import { exposureOf } from '../../policy/exposure.ts'
import { aggregate } from './aggregate.ts'
import { ORDINARY, STORIES } from './attack-stories.fixture.ts'
import { benignTrail } from './benign-trail.fixture.ts'
import { createDetector } from './detector.ts'
import type { DetectedFinding, DetectorCheckpoint } from './types.ts'

const configuration = { publicAccess: exposureOf, tracksChanges: false }

test('Of 100,000 events without an attack: nothing high, and at most three others', () => {
  const trail = benignTrail({ days: 56, seed: 1 })
  const detector = createDetector(configuration)
  const found = new Map<string, DetectedFinding>()
  for (const event of trail)
    for (const each of detector.ingest(event)) found.set(each.id, aggregate(found.get(each.id), each))
  const findings = [...found.values()]

  expect(trail.length).toBeGreaterThanOrEqual(100_000)
  expect(findings.filter(({ severity }) => severity >= 7)).toEqual([])
  expect(findings.length).toBeLessThanOrEqual(3)
})

describe('After a month of it, an attack gives its findings and no others:', () => {
  let before: DetectorCheckpoint

  beforeAll(() => {
    const detector = createDetector(configuration)
    for (const event of benignTrail({ days: 31, seed: 2 })) detector.ingest(event)
    before = detector.checkpoint()
  })

  const typesOf = (events: (typeof STORIES)[number]['events']): readonly string[] => {
    const detector = createDetector(configuration, before)
    return [...new Set(events.flatMap((event) => detector.ingest(event)).map(({ type }) => type))].sort()
  }

  test.each(STORIES.map((story) => [story.name, story] as const))('%s', (_name, { events, types }) => {
    expect(typesOf(events)).toEqual(types)
  })

  test('what the same callers do at work gives none', () => {
    expect(typesOf(ORDINARY)).toEqual([])
  })
})
