/** The detector as a machine: its order, its checkpoints, its limits, and hostile events. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exposureOf } from '../../policy/exposure.ts'
import { FINDING_TYPES } from './catalog.ts'
import { apiCall, DAY, dataEvent, findingsOf, flow, MINUTE, query, START } from './detect.fixture.ts'
import { createDetector } from './detector.ts'
import { createFlowEnds } from './flow-ends.ts'
import { createLookups } from './lookups.ts'
import { normalizeCloudTrail } from './normalize/cloudtrail.ts'
import { normalizeDns } from './normalize/dns.ts'
import { RULES } from './rules/index.ts'
import { State } from './state.ts'
import type { DetectedFinding, DetectorCheckpoint, DetectorConfiguration, Json, NormalizedEvent } from './types.ts'

const configuration: DetectorConfiguration = { publicAccess: exposureOf, learningMs: 0 }
const LATENESS = { ...configuration, latenessMs: 15 * MINUTE }

/** Events of all kinds, among them attacks, within some hours. */
const APIS = [
  'iam:CreateAccessKey',
  'ec2:GetPasswordData',
  'cloudtrail:StopLogging',
  'ec2:DescribeInstances',
  'ec2:DeleteFlowLogs',
  'iam:CreateRole',
  'secretsmanager:GetSecretValue',
]
const minute = fc.integer({ min: 0, max: 240 })
const anyEvent: fc.Arbitrary<NormalizedEvent> = fc.oneof(
  fc
    .record({
      name: fc.constantFrom(...APIS),
      user: fc.constantFrom('ana', 'ben'),
      userAgent: fc.constantFrom('aws-cli/2', 'odd/1'),
      at: minute,
      address: fc.constantFrom('198.51.100.7', '203.0.113.9'),
      secretId: fc.string(),
    })
    .map(({ name, at, secretId, ...call }) => apiCall(name, { ...call, at: at * MINUTE, request: { secretId } })),
  fc
    .record({ destinationPort: fc.integer({ min: 1, max: 80 }), at: fc.constantFrom(0, 1, 2) })
    .map(({ destinationPort, at }) =>
      flow({ destinationPort, packets: 1, start: START + at * 1_000, time: START + at * MINUTE }),
    ),
  fc
    .record({ name: fc.constantFrom('xmr.nanopool.org', 'example.com'), at: minute })
    .map(({ name, at }) => query(name, { time: START + at * MINUTE })),
)
const anyLog = fc.array(anyEvent, { minLength: 1, maxLength: 60 })

const text = (findings: readonly DetectedFinding[]): string => JSON.stringify(findings)

describe('The same log gives the same findings', () => {
  test('twice', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        expect(text(findingsOf(log, configuration))).toBe(text(findingsOf(log, configuration)))
      }),
      { numRuns: 50 },
    )
  })

  test('in two orders within the lateness, byte for byte', () => {
    const jittered = anyLog.chain((log) =>
      fc.tuple(
        fc.constant(log),
        fc.array(fc.integer({ min: 0, max: 7 * MINUTE }), { minLength: log.length, maxLength: log.length }),
      ),
    )
    const inOrder = (log: readonly NormalizedEvent[], key: (event: NormalizedEvent, index: number) => number) =>
      log
        .map((event, index) => [key(event, index), event] as const)
        .sort(([a], [b]) => a - b)
        .map(([, event]) => event)

    fc.assert(
      fc.property(jittered, ([log, delays]) => {
        const exact = inOrder(log, ({ time }) => time)
        const late = inOrder(log, ({ time }, index) => time + delays[index]!)

        expect(text(findingsOf(late, LATENESS))).toBe(text(findingsOf(exact, LATENESS)))
      }),
      { numRuns: 50 },
    )
  })

  test('when events are delivered twice', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const doubled = log.flatMap((event) => [event, event])

        expect(text(findingsOf(doubled, LATENESS))).toBe(text(findingsOf(log, LATENESS)))
      }),
      { numRuns: 30 },
    )
  })
})

describe('Restored from a checkpoint at any event, a detector goes on as if nothing had happened', () => {
  const serialized = (checkpoint: DetectorCheckpoint): DetectorCheckpoint => JSON.parse(JSON.stringify(checkpoint))
  const cut = anyLog.chain((log) => fc.tuple(fc.constant(log), fc.integer({ min: 0, max: log.length })))

  test.each([
    ['in order', configuration],
    ['with lateness', LATENESS],
  ])('%s', (_name, used) => {
    fc.assert(
      fc.property(cut, ([log, at]) => {
        const first = createDetector(used)
        const before = log.slice(0, at).flatMap((event) => [...first.ingest(event)])
        const second = createDetector(used, serialized(first.checkpoint()))
        const after = [
          ...log.slice(at).flatMap((event) => [...second.ingest(event)]),
          ...second.advance(Number.POSITIVE_INFINITY),
        ]

        expect(text([...before, ...after])).toBe(text(findingsOf(log, used)))
      }),
      { numRuns: 50 },
    )
  })

  test('also from the changes that were stored one by one', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const detector = createDetector(LATENESS)
        const stored = new Map<string, Json>()
        for (const event of log) {
          detector.ingest(event)
          const { put, removed } = detector.changes()
          for (const [part, value] of Object.entries(put)) stored.set(part, value)
          for (const part of removed) stored.delete(part)
        }

        const sorted = (parts: Readonly<Record<string, Json>>) =>
          Object.fromEntries(Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1)))
        expect(sorted(Object.fromEntries(stored))).toEqual(sorted(detector.checkpoint().parts))
      }),
      { numRuns: 30 },
    )
  })
})

test('Keys that an attacker chooses do not grow the state beyond its limits', () => {
  const limits = { baselines: 50, entries: 40, waiting: 30 }
  const detector = createDetector({ ...LATENESS, limits })
  for (let i = 0; i < 2_000; i++) {
    detector.ingest(
      apiCall('secretsmanager:CreateSecret', {
        user: `user-${i}${'x'.repeat(300)}`,
        userAgent: `agent-${i}/1`,
        at: i * MINUTE,
        request: { name: `s-${i}` },
      }),
    )
    detector.ingest(
      flow({ interfaceId: `eni-${i}`, instanceId: `i-${i}`, time: START + i * MINUTE, start: START + i * MINUTE }),
    )
  }

  const tables = new Map<string, number>()
  for (const part of Object.keys(detector.checkpoint().parts)) {
    const table = part.slice(0, part.indexOf('/'))
    tables.set(table, (tables.get(table) ?? 0) + 1)
    expect(part.length).toBeLessThan(250)
  }
  expect(tables.get('baseline')).toBe(50)
  for (const [table, size] of tables) if (table !== 'baseline') expect(size, table).toBeLessThanOrEqual(60)
})

test('A flood of the largest events of ever new principals, addresses and domains stays within a few kilobytes an entry', () => {
  const limits = { baselines: 40, entries: 40, waiting: 40 }
  const detector = createDetector({ ...configuration, limits })
  const long = (i: number, length: number) => `${i}-${'x'.repeat(length)}`
  for (let i = 0; i < 3_000; i++) {
    const names = Array.from({ length: 60 }, (_, j) => long(i * 60 + j, 2_000))
    const caller = { user: long(i % 500, 300), userAgent: long(i % 500, 1_500), address: `198.${i % 250}.${i >> 8}.1` }
    detector.ingest(apiCall('ssm:GetParameters', { ...caller, at: i, request: { names } }))
    detector.ingest(apiCall(`${long(i, 90)}:${long(i, 120)}`, { ...caller, at: i, request: { name: long(i, 2_000) } }))
    detector.ingest(query(`${long(i, 60)}.${long(i, 60)}.example`, { instanceId: long(i, 40), time: START + i }))
    detector.ingest(
      flow({ destinationAddress: `203.${i % 250}.${i >> 8}.1`, destinationPort: i, instanceId: long(i, 40) }),
    )
  }
  const { parts } = detector.checkpoint()

  expect(Object.keys(parts).length).toBeLessThan(40 * 25)
  expect(Math.max(...Object.values(parts).map((part) => JSON.stringify(part).length))).toBeLessThan(20_000)
})

test('The baseline of a principal with ever new values stays small', () => {
  const detector = createDetector(configuration)
  for (let i = 0; i < 3_000; i++)
    detector.ingest(
      apiCall(`svc${i}:Do${i}`, { userAgent: `a${i}/1`, address: `198.${i % 250}.${i >> 4}.1`, at: i * MINUTE }),
    )
  const parts = Object.entries(detector.checkpoint().parts).filter(([part]) => part.startsWith('baseline/'))

  expect(parts).toHaveLength(1)
  expect(JSON.stringify(parts).length).toBeLessThan(20_000)
})

describe('Hostile events', () => {
  const json = fc.jsonValue({ maxDepth: 4 })

  test('of any form are refused or read, and no rule fails on them', () => {
    const names = RULES.flatMap((factory) => {
      const state = new State()
      const lookups = createLookups({})
      return factory({ state, lookups, endsOf: createFlowEnds(state, lookups) }).actions ?? []
    })
    const detector = createDetector({ ...configuration, geography: () => ({}) })
    fc.assert(
      fc.property(
        fc.constantFrom(
          ...names,
          'ModifySnapshotAttribute',
          'CreateRole',
          'RunInstances',
          'AuthorizeSecurityGroupIngress',
          'GetParameters',
        ),
        json,
        json,
        json,
        fc.constantFrom('s3', 'iam', 'ec2', 'cloudtrail', 'ssm', 'rds'),
        (eventName, requestParameters, userIdentity, additionalEventData, service) => {
          const event = normalizeCloudTrail({
            eventID: String(Math.random()),
            eventTime: '2026-03-02T09:00:00Z',
            eventSource: `${service}.amazonaws.com`,
            eventName,
            requestParameters,
            userIdentity,
            additionalEventData,
            responseElements: requestParameters,
            resources: additionalEventData,
          })
          detector.ingest(event!)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('of no known form are no events', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(normalizeCloudTrail(value)).toBeUndefined()
        expect(normalizeDns(value)).toBeUndefined()
      }),
    )
  })

  test('with names of the object prototype change nothing', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const events = names.flatMap((name) => [
      apiCall(`${name}:${name}`, { user: name, userAgent: name, request: JSON.parse(`{"__proto__": {"x": 1}}`) }),
      dataEvent(name, { user: name }),
    ])

    expect(findingsOf(events, configuration)).toEqual([])
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  test('with parameters of a megabyte lose their parameters', () => {
    const event = apiCall('iam:CreateUser', { request: { userName: 'x'.repeat(1e6) } })

    expect(event.request).toEqual({})
    expect(event.record).toBeUndefined()
  })
})

test('Every type that a rule finds is in the catalog, and every type of the catalog is found by a rule', () => {
  const state = new State()
  const lookups = createLookups({})
  const endsOf = createFlowEnds(state, lookups)
  const types = RULES.flatMap((factory) => factory({ state, lookups, endsOf }).types)

  expect([...new Set(types)].sort()).toEqual(Object.keys(FINDING_TYPES).sort())
})

test('An event much later than the lateness is still looked at', () => {
  const late = apiCall('cloudtrail:StopLogging', { at: 0 })

  expect(findingsOf([apiCall('ec2:DescribeVpcs', { at: DAY }), late], LATENESS).map(({ type }) => type)).toContain(
    'Stealth:IAMUser/CloudTrailLoggingDisabled',
  )
})
