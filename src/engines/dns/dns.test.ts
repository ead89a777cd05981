/** Names looked up in zones, and messages of whatever bytes. */
import { decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseQuery, printFailure, printResponse, UDP_BYTES } from './message.ts'
import {
  normalizeName,
  parseValue,
  RECORD_TYPES,
  type RecordSet,
  type RecordType,
  RecordValueError,
} from './records.ts'
import type { Routing } from './routing.ts'
import { compileZones, lookup } from './zones.ts'

const SOA = 'ns1.corp.test. admin.corp.test. 1 7200 900 1209600 300'
const set = (name: string, type: RecordType, ...values: string[]): RecordSet => ({ name, type, ttl: 60, values })
const zones = compileZones([
  {
    name: 'corp.test.',
    records: [
      { ...set('corp.test.', 'SOA', SOA), ttl: 900 },
      set('corp.test.', 'NS', 'ns1.corp.test.'),
      set('www.corp.test.', 'A', '192.0.2.1', '192.0.2.2'),
      set('alias.corp.test.', 'CNAME', 'www.corp.test.'),
      set('away.corp.test.', 'CNAME', 'www.elsewhere.test.'),
      set('loop.corp.test.', 'CNAME', 'loop.corp.test.'),
      set('a.deep.corp.test.', 'TXT', '"one" "two"'),
      set('*.wild.corp.test.', 'A', '192.0.2.9'),
      set('fixed.wild.corp.test.', 'TXT', '"fixed"'),
      set('child.corp.test.', 'NS', 'ns.child.corp.test.'),
      set('ns.child.corp.test.', 'A', '192.0.2.53'),
    ],
  },
  { name: 'sub.corp.test.', records: [set('sub.corp.test.', 'SOA', SOA), set('sub.corp.test.', 'A', '192.0.2.77')] },
])
const ask = (name: string, type: string) => {
  const { rcode, answers } = lookup(zones, name, type)
  return [rcode, ...answers.map(({ name: owner, data }) => `${owner} ${Buffer.isBuffer(data) ? data : String(data)}`)]
}

describe('A name', () => {
  test.each([
    ['www.corp.test.', 'A', ['NOERROR', 'www.corp.test. 192.0.2.1', 'www.corp.test. 192.0.2.2']],
    ['www.corp.test.', 'AAAA', ['NOERROR']],
    ['none.corp.test.', 'A', ['NXDOMAIN']],
    ['deep.corp.test.', 'A', ['NOERROR']],
    [
      'alias.corp.test.',
      'A',
      ['NOERROR', 'alias.corp.test. www.corp.test', 'www.corp.test. 192.0.2.1', 'www.corp.test. 192.0.2.2'],
    ],
    ['alias.corp.test.', 'CNAME', ['NOERROR', 'alias.corp.test. www.corp.test']],
    ['away.corp.test.', 'A', ['NOERROR', 'away.corp.test. www.elsewhere.test']],
    ['any.wild.corp.test.', 'A', ['NOERROR', 'any.wild.corp.test. 192.0.2.9']],
    ['x.y.wild.corp.test.', 'A', ['NOERROR', 'x.y.wild.corp.test. 192.0.2.9']],
    ['fixed.wild.corp.test.', 'A', ['NOERROR']],
    ['sub.corp.test.', 'A', ['NOERROR', 'sub.corp.test. 192.0.2.77']],
    ['elsewhere.test.', 'A', ['REFUSED']],
    ['test.', 'A', ['REFUSED']],
    ['www.corp.test', 'A', ['REFUSED']],
    ['', 'A', ['REFUSED']],
  ])('%s %s', (name, type, expected) => {
    expect(ask(name, type)).toEqual(expected)
  })

  test('that does not exist is answered with the SOA, kept no longer than its minimum', () => {
    expect(lookup(zones, 'none.corp.test.', 'A').authorities).toMatchObject([{ type: 'SOA', ttl: 300 }])
  })

  test('below a delegation is referred to its servers, with their addresses', () => {
    const found = lookup(zones, 'deep.child.corp.test.', 'A')
    expect(found).toMatchObject({ rcode: 'NOERROR', authoritative: false, answers: [] })
    expect(found.authorities).toMatchObject([{ name: 'child.corp.test.', type: 'NS', data: 'ns.child.corp.test' }])
    expect(found.additionals).toMatchObject([{ type: 'A', data: '192.0.2.53' }])
  })

  test('that is an alias of itself ends', () => {
    expect(ask('loop.corp.test.', 'A').length).toBeLessThan(20)
  })
})

describe('A value', () => {
  test.each<[RecordType, string]>([
    ['A', '192.0.2.255'],
    ['AAAA', '2001:db8::1'],
    ['CAA', '0 issue "merlon.test"'],
    ['CNAME', 'www.corp.test.'],
    ['DS', '1 2 3 AABB'],
    ['MX', '10 mail.corp.test'],
    ['NAPTR', '100 10 "u" "E2U+sip" "!^.*$!sip:info@corp.test!" .'],
    ['NS', 'ns1.corp.test.'],
    ['PTR', 'host.corp.test.'],
    ['SOA', SOA],
    ['SRV', '1 2 443 www.corp.test.'],
    ['SSHFP', `1 1 ${'ab'.repeat(20)}`],
    ['TLSA', '3 1 1 aabbcc'],
    ['TXT', '"a \\"quoted\\" text" "and \\141 more"'],
  ])('of type %s survives a message', (type, value) => {
    const zone = compileZones([{ name: 'x.test.', records: [set('x.test.', type, value)] }])
    const message = printResponse(query('x.test', type)!, lookup(zone, 'x.test.', type), 4_096)
    expect(decode(message).answers).toMatchObject([{ name: 'x.test', type, ttl: 60 }])
  })

  test.each<[RecordType, string]>([
    ['A', '256.0.0.1'],
    ['A', '1.2.3'],
    ['A', '1.2.3.4.'],
    ['A', '1.2.3.4 5.6.7.8'],
    ['AAAA', '192.0.2.1'],
    ['AAAA', ':::'],
    ['CAA', '300 issue "x"'],
    ['CAA', '0 issue x'],
    ['CNAME', ''],
    ['CNAME', 'a b'],
    ['MX', 'mail.corp.test'],
    ['MX', '70000 mail.corp.test'],
    ['SOA', 'a. b. 1 2 3'],
    ['SRV', '1 2 65536 a.'],
    ['SSHFP', '1 1 aabb'],
    ['TXT', 'no quotation marks'],
    ['TXT', `"${'x'.repeat(256)}"`],
    ['TXT', '"open'],
  ])('of type %s is refused: %s', (type, value) => {
    expect(() => parseValue(type, value)).toThrow(RecordValueError)
  })

  test('of any text is parsed or refused, and then encoded', () => {
    fc.assert(
      fc.property(fc.constantFrom(...RECORD_TYPES), fc.string({ maxLength: 60 }), (type, value) => {
        try {
          const zone = compileZones([{ name: 'x.test.', records: [set('x.test.', type, value)] }])
          decode(printResponse(query('x.test', type)!, lookup(zone, 'x.test.', type), 65_535))
        } catch (error) {
          expect(error).toBeInstanceOf(RecordValueError)
        }
      }),
    )
  })

  test('names are compared in lower case, and an escaped asterisk is one', () => {
    expect(normalizeName('WWW.Corp.Test')).toBe('www.corp.test.')
    expect(normalizeName('\\052.corp.test.')).toBe('*.corp.test.')
    expect(normalizeName('a..b')).toBeUndefined()
    expect(normalizeName(`${'a'.repeat(64)}.test`)).toBeUndefined()
  })
})

const query = (name: string, type: string) =>
  parseQuery(encode({ type: 'query', id: 7, flags: 0x100, questions: [{ name, type: type as 'A' }] }))

describe('A message', () => {
  test('is answered under its id, with its question as written', () => {
    const message = printResponse(query('WwW.corp.test', 'A')!, lookup(zones, 'www.corp.test.', 'A'), UDP_BYTES)
    expect(decode(message)).toMatchObject({
      id: 7,
      type: 'response',
      rcode: 'NOERROR',
      flag_aa: true,
      flag_rd: true,
      flag_ra: false,
      questions: [{ name: 'WwW.corp.test', type: 'A' }],
    })
  })

  test('that does not fit is marked as truncated', () => {
    const many = Array.from({ length: 60 }, (_, n) => `192.0.2.${n}`)
    const zone = compileZones([{ name: 'x.test.', records: [set('x.test.', 'A', ...many)] }])
    const message = printResponse(query('x.test', 'A')!, lookup(zone, 'x.test.', 'A'), UDP_BYTES)
    expect(message.length).toBeLessThanOrEqual(UDP_BYTES)
    expect(decode(message)).toMatchObject({ flag_tc: true, answers: [] })
  })

  test('says that the server cannot answer', () => {
    expect(decode(printFailure(query('x.test', 'A')!))).toMatchObject({ rcode: 'SERVFAIL', answers: [] })
  })

  test.each([
    ['a response', { type: 'response' as const, questions: [{ name: 'a.test', type: 'A' as const }] }],
    [
      'two questions',
      { type: 'query' as const, questions: ['a.test', 'b.test'].map((name) => ({ name, type: 'A' as const })) },
    ],
    ['no question', { type: 'query' as const, questions: [] }],
  ])('that is %s gets no response', (_what, packet) => {
    expect(parseQuery(encode({ id: 1, ...packet }))).toBeUndefined()
  })

  test('whose name is no text, or hides a dot in a label, is dropped: its response would be longer, or for another name', () => {
    const named = (label: Buffer) => {
      const message = encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'x' }] })
      const rest = message.subarray(14)
      return Buffer.concat([message.subarray(0, 12), Buffer.from([label.length]), label, rest])
    }
    expect(parseQuery(named(Buffer.from('www')))).toMatchObject({ name: 'www' })
    expect(parseQuery(named(Buffer.from('bücher')))).toMatchObject({ name: 'bücher' })
    for (const label of [Buffer.alloc(63, 0xff), Buffer.from('a.b'), Buffer.from([0xc3])])
      expect(parseQuery(named(label))).toBeUndefined()
  })

  test('of any bytes is parsed or dropped', () => {
    const head = Buffer.from('0007010000010000000000', 'hex')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_500 }), fc.boolean(), (bytes, isQuery) => {
        const message = isQuery ? Buffer.concat([head, bytes]) : Buffer.from(bytes)
        const parsed = parseQuery(message)
        if (parsed) expect(decode(printFailure(parsed)).id).toBe(parsed.id)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('Sets of one name and type', () => {
  const routed = (value: string, routing: Routing, healthCheckId?: string): RecordSet => ({
    ...set('www.corp.test.', 'A', value),
    routing,
    ...(healthCheckId !== undefined && { healthCheckId }),
  })
  const answering = (records: readonly RecordSet[], unhealthy: readonly string[] = [], random = Math.random) => {
    const compiled = compileZones([{ name: 'corp.test.', records: [set('corp.test.', 'SOA', SOA), ...records] }])
    const { answers } = lookup(compiled, 'www.corp.test.', 'A', { unhealthy: new Set(unhealthy), random })
    return answers.map(({ data }) => data)
  }

  test('are chosen by weight among those that are healthy; without weight when no other is', () => {
    const sets = [1, 3, 0].map((weight, n) => routed(`192.0.2.${n}`, { kind: 'weighted', weight }, `h${n}`))
    const shares = (unhealthy: readonly string[]) =>
      [0, 0.24, 0.26, 0.99].map((at) => answering(sets, unhealthy, () => at)[0])
    expect(shares([])).toEqual(['192.0.2.0', '192.0.2.0', '192.0.2.1', '192.0.2.1'])
    expect(shares(['h1'])).toEqual(['192.0.2.0', '192.0.2.0', '192.0.2.0', '192.0.2.0'])
    expect(new Set(shares(['h0', 'h1']))).toEqual(new Set(['192.0.2.2']))
    expect(shares(['h0', 'h1', 'h2'])).toEqual(shares([]))
    const none = sets.map((each) => ({ ...each, routing: { kind: 'weighted', weight: 0 } as const }))
    expect([0, 0.5, 0.99].map((at) => answering(none, [], () => at)[0])).toEqual([
      '192.0.2.0',
      '192.0.2.1',
      '192.0.2.2',
    ])
  })

  test('are answered together, eight at most, without those that are unhealthy', () => {
    const sets = Array.from({ length: 12 }, (_, n) => routed(`192.0.2.${n}`, { kind: 'multivalue' }, `h${n}`))
    const bad = Array.from({ length: 5 }, (_, n) => `h${n}`)
    expect(new Set(answering(sets)).size).toBe(8)
    expect([...answering(sets, bad)].sort()).toEqual(['10', '11', '5', '6', '7', '8', '9'].map((n) => `192.0.2.${n}`))
    expect(
      answering(
        sets,
        sets.map((_, n) => `h${n}`),
      ),
    ).toHaveLength(8)
  })

  test('that are aliases of each other, however many, end', () => {
    const names = Array.from({ length: 40 }, (_, n) => (n === 0 ? 'www.corp.test.' : `n${n}.corp.test.`))
    const sets = names.flatMap((name) =>
      names.flatMap((target, weight): readonly RecordSet[] =>
        target === name
          ? []
          : [
              {
                ...{ name, type: 'A', ttl: 0, values: [], routing: { kind: 'weighted', weight } },
                alias: { name: target, evaluatesHealth: true },
              },
            ],
      ),
    )
    expect(answering(sets)).toEqual([])
  })
})
