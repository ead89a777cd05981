/** Fingerprints of clients: against the example of the JA4 specification, and hostile bytes. */
import { expect, test } from 'vitest'
import { type ClientHello, fingerprints, parseClientHello } from './client-hello.ts'

/** Source: https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md, the example of Chrome. */
const CHROME: ClientHello = {
  version: 0x0303,
  ciphers: [
    0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
    0x002f, 0x0035,
  ],
  extensions: [
    0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
    0x000b, 0x000a, 0x0015, 0x2a2a,
  ],
  groups: [0x001d, 0x0017, 0x0018],
  pointFormats: [0],
  signatureAlgorithms: [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
  supportedVersions: [0x0a0a, 0x0304, 0x0303],
  alpn: ['h2', 'http/1.1'],
  serverName: 'example.com',
}

test('JA4 of the example of its specification', () => {
  expect(fingerprints(CHROME).ja4).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1')
})

test('Bytes that are no hello are none, and a part of one waits for more', () => {
  expect(parseClientHello(Buffer.from('GET / HTTP/1.1\r\n'))).toBeUndefined()
  expect(parseClientHello(Buffer.from([22, 3, 1, 0]))).toBe('more')
  expect(parseClientHello(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]))).toBeUndefined()
  expect(parseClientHello(Buffer.from([22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3]))).toBeUndefined()
  expect(parseClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255]))).toBeUndefined()
})
