/** What each protocol's reader takes and refuses. Round trips with the official clients are in `test/wire`. */
import { describe, expect, it } from 'vitest'
import { fromCbor } from './cbor.ts'
import { fromJson, toJson } from './json.ts'
import { formTree, fromQuery } from './query.ts'
import { timestampOf } from './serialization.ts'
import { shapeOf } from './shape.ts'
import { escapeXml, fromXml, parseXmlRoot, xmlMembers } from './xml.ts'

/** One structure with a member of every kind, in the SDK's own form. */
const every = shapeOf([
  3,
  'test',
  'Every',
  0,
  ['Text', 'Count', 'Flag', 'When', 'Bytes', 'Names', 'Map', 'Inner', 'Free', 'Big'],
  [0, 1, 2, 4, 21, 64, 128, () => [3, 'test', 'Inner', 0, ['Text', 'Inner'], [0, 0], 0], 15, 17],
  0,
])
const AWS_JSON = { jsonName: false }

describe('JSON', () => {
  it.each([
    [{ Text: 'a', Unknown: { deep: [] } }, { Text: 'a' }],
    [{ Text: null }, {}],
    [{ When: 1.5 }, { When: new Date(1500) }],
    [{ When: '2026-01-02T03:04:05Z' }, { When: new Date('2026-01-02T03:04:05Z') }],
    [{ Count: 'NaN' }, { Count: Number.NaN }],
    [{ Bytes: 'AAE=' }, { Bytes: Buffer.from([0, 1]) }],
    [{ Names: ['a', null] }, { Names: ['a', null] }],
    [{ Map: { constructor: 'a', gone: null } }, { Map: { constructor: 'a' } }],
    [{ Free: { a: [1, { b: null }] } }, { Free: { a: [1, { b: null }] } }],
  ])('%j is read as %j', (from, to) => {
    expect(fromJson(every, from, AWS_JSON)).toEqual(to)
  })

  it.each([
    [{ Text: 1 }, 'NUMBER_VALUE found where String was expected'],
    [{ Count: '1' }, 'STRING_VALUE found where Number was expected'],
    [{ Count: true }, 'TRUE_VALUE found where Number was expected'],
    [{ Flag: 'true' }, 'STRING_VALUE found where Boolean was expected'],
    [{ When: 'tomorrow' }, 'Timestamp was expected'],
    [{ When: {} }, 'START_OBJECT found where Timestamp was expected'],
    [{ Bytes: 'not base64!' }, 'Blob was expected'],
    [{ Names: 'a' }, 'List was expected'],
    [{ Names: {} }, 'List was expected'],
    [{ Map: [] }, 'START_ARRAY found where Map was expected'],
    [{ Inner: 'a' }, 'Structure was expected'],
    [{ Big: 2 ** 60 }, 'Number was expected'],
    [[], 'Structure was expected'],
  ])('%j is refused', (from, message) => {
    expect(() => fromJson(every, from, AWS_JSON)).toThrow(message)
  })

  it('a document holds no deeper than anything else', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

    expect(() => fromJson(every, { Free: nested(60) }, AWS_JSON)).not.toThrow()
    expect(() => fromJson(every, { Free: nested(70) }, AWS_JSON)).toThrow('nested too deeply')
  })

  it('the names of prototypes are dropped from documents, and refused in maps, which would bind less without them', () => {
    const free = JSON.parse('{"Free":{"__proto__":{"x":1},"c":[{"__proto__":1}]}}')
    const map = JSON.parse('{"Map":{"__proto__":"x","a":"b"}}')

    expect(JSON.stringify(fromJson(every, free, AWS_JSON))).toBe('{"Free":{"c":[{}]}}')
    expect(() => fromJson(every, map, AWS_JSON)).toThrow(expect.objectContaining({ code: 'SerializationException' }))
  })

  it('writes dates as seconds, bytes as base64 and nothing unknown', () => {
    expect(
      toJson(every, { When: new Date(1500), Bytes: new Uint8Array([1]), Secret: 'x', Text: undefined }, AWS_JSON),
    ).toEqual({ When: 1.5, Bytes: 'AQ==' })
  })
})

describe('forms', () => {
  const read = (body: string) => fromQuery(every, formTree(body), { ec2: false })

  it.each([
    ['Text=a+b%2B&Count=-1.5e3&Flag=true', { Text: 'a b+', Count: -1500, Flag: true }],
    ['Names.member.2=b&Names.member.10=c&Names.member.1=a', { Names: ['a', 'b', 'c'] }],
    ['Names=', { Names: [] }],
    ['Map.entry.1.key=a&Map.entry.1.value=b', { Map: { a: 'b' } }],
    ['Inner.Text=a&Inner.Unknown=b', { Inner: { Text: 'a' } }],
    ['Text=a&Text=b', { Text: 'b' }],
    ['Text', { Text: '' }],
  ])('%s', (body, to) => {
    expect(read(body)).toEqual(to)
  })

  it.each([
    'Count=',
    'Count=0x10',
    'Count=1e9999',
    'Flag=True',
    'When=never',
    'Bytes=%25',
    'Text.member.1=a',
    'Names=a',
    'Inner=a',
    'Text=%',
    'Text=%ff',
    'Map.entry.1.key=__proto__&Map.entry.1.value=b',
  ])('%s is refused', (body) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ name: 'Fault', code: 'SerializationException' }))
  })

  it('ec2 flattens its lists', () => {
    expect(fromQuery(every, formTree('Names.1=a&Names.2=b'), { ec2: true })).toEqual({ Names: ['a', 'b'] })
  })
})

describe('XML', () => {
  const read = (body: string) => fromXml(every, parseXmlRoot(Buffer.from(`<R>${body}</R>`)))

  it.each([
    ['<Text>a &amp; b&#x20;</Text><Count>3</Count>', { Text: 'a & b ', Count: 3 }],
    ['<Text/>', { Text: '' }],
    ['<Names><member>a</member></Names>', { Names: ['a'] }],
    ['<Names/>', { Names: [] }],
    ['<Inner><Text><![CDATA[<x>]]></Text></Inner>', { Inner: { Text: '<x>' } }],
  ])('%s', (body, to) => {
    expect(read(body)).toEqual(to)
  })

  it.each([
    '<Count>x</Count>',
    '<Text>a</Text><Text>b</Text>',
    '<Inner>text</Inner>',
    '<Text>',
    '<Text></Txt>',
    '<Map><entry><key>__proto__</key><value>x</value></entry></Map>',
  ])('%s is refused', (body) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ name: 'Fault', code: 'SerializationException' }))
  })

  it('escapes markup, keeps line ends apart and replaces what XML cannot carry', () => {
    expect(escapeXml('a<&>"\r\u0000\u{1F600}')).toBe('a&lt;&amp;&gt;&quot;&#xd;\uFFFD\u{1F600}')
  })

  it('writes members in order, and lists item by item', () => {
    expect(xmlMembers(every, { Names: ['a', 'b<'], Text: 'x', When: new Date(0) })).toBe(
      '<Text>x</Text><When>1970-01-01T00:00:00Z</When><Names><member>a</member><member>b&lt;</member></Names>',
    )
  })
})

describe('CBOR', () => {
  it.each([
    [{ Text: 1 }],
    [{ Count: '1' }],
    [{ When: 'x' }],
    [{ When: 1e300 }],
    [{ Bytes: 'AQ==' }],
    [{ Names: {} }],
    [{ Inner: new Uint8Array() }],
    [[]],
    [null],
    ['x'],
  ])('%j is refused', (from) => {
    expect(() => fromCbor(every, from)).toThrow(
      expect.objectContaining({ name: 'Fault', code: 'SerializationException' }),
    )
  })

  it('reads whole numbers of any width', () => {
    expect(fromCbor(every, { Count: 5n, Big: 2n ** 60n })).toEqual({ Count: 5, Big: 2n ** 60n })
  })
})

describe('a timestamp', () => {
  it.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.678901Z', '2026-01-02T03:04:05.678Z'],
    ['2026-01-02T03:04:05', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05+02:00', '2026-01-02T01:04:05.000Z'],
    ['2026-01-02', '2026-01-02T00:00:00.000Z'],
    ['Fri, 02 Jan 2026 03:04:05 GMT', '2026-01-02T03:04:05.000Z'],
    ['1767323045', '2026-01-02T03:04:05.000Z'],
    [1767323045.678, '2026-01-02T03:04:05.678Z'],
  ])('%s is %s', (text, iso) => {
    expect(timestampOf(text)?.toISOString()).toBe(iso)
  })

  it.each([
    '',
    'now',
    'January 2',
    '2026-01',
    '2026-13-01',
    '2026-01-02 03:04:05',
    '1 2',
    'x 5',
    '99999999999999999999',
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ])('%s is none', (text) => {
    expect(timestampOf(text)).toBeUndefined()
  })
})
