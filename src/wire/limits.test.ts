/** What a body may hold at most, in every protocol: counted before a tree is built. */
import { gzipSync } from 'node:zlib'
import { cbor } from '@smithy/core/cbor'
import { describe, expect, it, test } from 'vitest'
import { parseCbor } from './cbor.ts'
import { countCbor } from './cbor-scan.ts'
import type { HttpRequest } from './http.ts'
import { parseJson } from './json.ts'
import { countJson } from './json-scan.ts'
import { formTree, scanForm } from './query.ts'
import { DEPTH_MAX, NODES_MAX } from './serialization.ts'
import { decode, detect, loadService } from './wire.ts'
import { parseXmlRoot } from './xml.ts'
import { countXml } from './xml-scan.ts'

const many = (count: number, each: (i: number) => string) => Array.from({ length: count }, (_, i) => each(i)).join('')
const bytes = (text: string) => Buffer.from(text)

describe('Refused before a tree is built:', () => {
  it.each<[what: string, read: (body: Buffer) => unknown, body: Buffer, message: RegExp]>([
    ['too many JSON items', parseJson, bytes(`[${many(NODES_MAX + 1, () => '1,')}1]`), /more than 50000 values/],
    ['too many JSON members', parseJson, bytes(`{${many(NODES_MAX + 1, (i) => `"${i}":1,`)}"x":1}`), /more than/],
    ['JSON that is too deep', parseJson, bytes('['.repeat(1_000_000)), /too deeply/],
    ['deep JSON behind a long string', parseJson, bytes(`["${'x'.repeat(9_000)}",${'['.repeat(99)}`), /too deeply/],
    ['deep JSON behind escapes', parseJson, bytes(`["${'\\"['.repeat(9_000)}",${'['.repeat(99)}`), /too deeply/],
    ['CBOR that is too deep', parseCbor, Buffer.alloc(100_000, 0x81), /too deeply/],
    ['endless CBOR that is too deep', parseCbor, Buffer.alloc(100_000, 0x9f), /too deeply/],
    [
      'too many CBOR items',
      parseCbor,
      Buffer.concat([Buffer.from([0x9f]), Buffer.alloc(NODES_MAX + 1, 1)]),
      /more than/,
    ],
    ['CBOR lists longer than their body', parseCbor, Buffer.from([0x9a, 0xff, 0xff, 0xff, 0xff]), /as CBOR/],
    ['CBOR texts longer than their body', parseCbor, Buffer.from([0x7b, 0, 0, 0, 1, 0, 0, 0, 0]), /as CBOR/],
    ['big numbers in CBOR', parseCbor, Buffer.from([0xc2, 0x41, 1]), /Unexpected CBOR tag 2/],
    ['too many XML elements', parseXmlRoot, bytes(`<a>${many(NODES_MAX + 1, () => '<b/>')}</a>`), /more than/],
    ['XML that is too deep', parseXmlRoot, bytes(many(1_000, () => '<a>')), /too deeply/],
    ['too many XML attributes', parseXmlRoot, bytes(`<a ${many(1_001, (i) => `x${i}="" `)}/>`), /1000 XML attributes/],
    ['XML of 2 MiB', parseXmlRoot, bytes(`<a>${'x'.repeat(2 * 1024 * 1024)}</a>`), /bytes of XML/],
    ['an XML document type', parseXmlRoot, bytes('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), /document type/],
    [
      'too many form parameters',
      (body) => formTree(body.toString()),
      bytes(many(NODES_MAX + 1, (i) => `${i}=&`)),
      /more than/,
    ],
    [
      'forms that are too deep',
      (body) => formTree(body.toString()),
      bytes(`${'a.'.repeat(DEPTH_MAX)}a=`),
      /too deeply/,
    ],
    ['long names in forms', (body) => formTree(body.toString()), bytes(`${'a'.repeat(2_000)}=`), /too long/],
  ])('%s', (_, read, body, message) => {
    expect(() => read(body)).toThrow(message)
  })
})

describe('Counted as they are:', () => {
  test.each<[json: string, count: number]>([
    ['1', 1],
    ['{"a":[1,2,{"b":"],[{,"}]}', 6],
    ['["\\"[[[\\\\","x"]', 3],
    [`["${'\\\\'.repeat(300)}","${'\\"'.repeat(300)}","${'x'.repeat(999)}"]`, 4],
  ])('JSON %#', (json, count) => {
    expect(countJson(bytes(json))).toBe(count)
  })

  test('CBOR', () => {
    const value = { a: [1, 'x', null, true, 1.5], b: { c: new Uint8Array(3) } }
    expect(countCbor(Buffer.from(cbor.serialize(value)))).toBe(12)
  })

  test('XML, without what comments, CDATA and instructions hold', () => {
    const document = '<?xml version="1.0"?><a x="<>"><!-- <b><c> --><![CDATA[<d><e>]]><f/><g>1</g></a>'
    expect(countXml(bytes(document))).toBe(3)
  })
})

describe('Before authentication a form', () => {
  test.each<[form: string, action: string | undefined]>([
    ['Action=GetCallerIdentity&Version=2011-06-15', 'GetCallerIdentity'],
    ['Version=2011-06-15&Action=GetCallerIdentity', 'GetCallerIdentity'],
    ['MyAction=A&Action=B', 'B'],
    ['Action=A&Action=B', 'A'],
    ['Action=a%2Bb', 'a+b'],
    ['Action=', ''],
    ['Reaction=A', undefined],
    ['', undefined],
  ])('is only searched for its action: %s', (form, action) => {
    expect(scanForm(form, 'Action')).toBe(action)
    expect(scanForm(bytes(form), 'Action')).toBe(action)
  })

  const request = (body: Buffer, headers: readonly string[] = []): HttpRequest => ({
    method: 'POST',
    path: '/',
    query: '',
    rawHeaders: [
      'Content-Type',
      'application/x-www-form-urlencoded',
      'Authorization',
      'AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0',
      ...headers,
    ],
    body,
    remoteAddress: '127.0.0.1',
    secure: false,
  })

  async function read(it: HttpRequest) {
    const detected = await detect(it)
    return decode(detected, await loadService(detected.service), it)
  }

  test('that says two things is refused when it is read', async () => {
    const twice = request(bytes('Action=ListMetrics&Version=2010-08-01&Action=PutMetricData'))
    await expect(read(twice)).rejects.toThrow('Could not find operation PutMetricData')
  })

  test('that is compressed is taken for the one operation that may be, and must be it', async () => {
    const gzip = ['Content-Encoding', 'gzip']
    const put = request(gzipSync('Action=PutMetricData&Version=2010-08-01&Namespace=N'), gzip)
    const list = request(gzipSync('Action=ListMetrics&Version=2010-08-01'), gzip)

    expect((await read(put)).input).toEqual({ Namespace: 'N' })
    await expect(read(list)).rejects.toThrow('Could not find operation ListMetrics')
  })

  test('grows by a hundred times at most', async () => {
    const form = `Action=PutMetricData&Version=2010-08-01&Namespace=${'x'.repeat(900_000)}`
    await expect(read(request(gzipSync(form), ['Content-Encoding', 'gzip']))).rejects.toMatchObject({
      code: 'RequestEntityTooLarge',
    })
  })
})
