import { describe, expect, test } from 'vitest'
import { parseProxyHead } from './proxy-protocol.ts'

const parse = (text: string) => parseProxyHead(Buffer.from(text, 'latin1'))
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n')

function version2(command: number, family: number, addresses: Buffer, values = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(4)
  head[0] = 0x20 | command
  head[1] = family
  head.writeUInt16BE(addresses.length + values.length, 2)
  return Buffer.concat([SIGNATURE, head, addresses, values])
}
const value = (type: number, bytes: Buffer) => Buffer.concat([Buffer.from([type, 0, bytes.length]), bytes])
const IPV4 = Buffer.from([192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x67, 0, 80])
const IPV6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.alloc(16),
  Buffer.from([0, 7, 0, 80]),
])

describe('The PROXY protocol', () => {
  test.each([
    ['PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\nGET /', '192.0.2.1', 4711, 39],
    ['PROXY TCP6 2001:db8::1 ::1 7 80\r\n', '2001:db8::1', 7, 33],
  ])('of version 1 names the client: %j', (text, address, port, length) => {
    expect(parse(text)).toEqual({ kind: 'head', length, client: { address, port, tls: undefined } })
  })

  test('of version 2 names the client, and how it spoke TLS', () => {
    const tls = value(
      0x20,
      Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), value(0x21, Buffer.from('TLSv1.3')), value(0x23, Buffer.from('A'))]),
    )
    const plain = version2(1, 0x11, IPV4)

    expect(parseProxyHead(Buffer.concat([plain, Buffer.from('GET /')]))).toEqual({
      kind: 'head',
      length: plain.length,
      client: { address: '192.0.2.1', port: 4711, tls: undefined },
    })
    expect(parseProxyHead(version2(1, 0x21, IPV6, Buffer.concat([value(4, Buffer.alloc(3)), tls])))).toMatchObject({
      client: { address: '2001:db8::1', port: 7, tls: { version: 'TLSv1.3', cipher: 'A' } },
    })
  })

  test.each([
    ['PROXY UNKNOWN\r\n'],
    [version2(0, 0x00, Buffer.alloc(0)).toString('latin1')],
    [version2(0, 0x11, IPV4).toString('latin1')],
    [version2(1, 0x31, Buffer.alloc(216)).toString('latin1')],
  ])('names no client for connections of the proxy itself and for other families', (text) => {
    expect(parse(text)).toMatchObject({ kind: 'head', client: undefined })
  })

  test.each([
    'PROXY TCP4 192.0.2.1 10.0.0.1 4711\r\n',
    'PROXY TCP4 2001:db8::1 ::1 7 80\r\n',
    'PROXY TCP4 192.0.2.256 10.0.0.1 4711 80\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 70000 80\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 4711 80 more\r\n',
    'PROXY tcp4 192.0.2.1 10.0.0.1 4711 80\r\n',
    `PROXY TCP4 ${'1'.repeat(120)}`,
    version2(3, 0x11, IPV4).toString('latin1'),
    version2(1, 0x11, IPV4.subarray(0, 4)).toString('latin1'),
    version2(1, 0x11, IPV4, Buffer.from([0x20, 0xff, 0xff])).toString('latin1'),
    version2(1, 0x11, Buffer.alloc(3_000)).toString('latin1'),
    Buffer.concat([SIGNATURE, Buffer.from([0x11, 0x11, 0, 12]), IPV4]).toString('latin1'),
  ])('is refused when it is not as specified: %j', (text) => {
    expect(parse(text)).toEqual({ kind: 'invalid' })
  })

  test.each(['GET / HTTP/1.1\r\n', 'POST / HTTP/1.1\r\n', 'PROXIES', '\r\nGET', '\x16\x03\x01'])(
    'is not what %j begins with',
    (text) => {
      expect(parse(text)).toEqual({ kind: 'none' })
    },
  )

  test('may come byte by byte', () => {
    for (const whole of [Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n'), version2(1, 0x11, IPV4)])
      for (let n = 1; n < whole.length; n++)
        expect(parseProxyHead(whole.subarray(0, n))).toEqual({ kind: 'incomplete' })
  })
})
