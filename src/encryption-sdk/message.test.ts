/** Messages: what is written is read again, and nothing that was changed is. */
import { randomBytes } from 'node:crypto'
import { type Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  type EncryptionSdkError,
  inspect,
  MultiKeyring,
  RawAesKeyring,
  type SuiteId,
} from './index.ts'

const KEY = Buffer.alloc(32, 7)
const aes = (keyName = 'one', key = KEY) => new RawAesKeyring({ keyNamespace: 'test', keyName, key })
const client = buildClient()
const UNSIGNED = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY
const context = { purpose: 'test', tenant: 'blue' }

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'no error'
  } catch (error) {
    return (error as EncryptionSdkError).code ?? `${error}`
  }
}
const opened = (message: Uint8Array, options = {}) => client.decrypt(aes(), message, options)

describe('a message', () => {
  test.each([0, 1, 9, 10, 11, 25])('of %i bytes comes back, signed by default, in frames of ten', async (length) => {
    const plaintext = randomBytes(length)

    const { result, messageHeader } = await client.encrypt(aes(), plaintext, {
      encryptionContext: context,
      frameLength: 10,
    })
    const decrypted = await opened(result, { encryptionContext: context })

    expect(decrypted.plaintext).toEqual(plaintext)
    expect(messageHeader).toMatchObject({ version: 2, suiteId: 0x0578, signed: true, frameLength: 10 })
    expect(decrypted.messageHeader.encryptionContext).toEqual({
      ...context,
      'aws-crypto-public-key': expect.any(String),
    })
    expect(decrypted.messageHeader.messageId).toEqual(messageHeader.messageId)
  })

  test('hides nothing of its header, and inspect shows it without a key', async () => {
    const { result } = await client.encrypt(aes(), 'text', { encryptionContext: context })

    const seen = inspect(result.subarray(0, 600))

    expect(seen).toMatchObject({
      suite: 'ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384',
      contentType: 'framed',
    })
    expect(seen.encryptionContext).toMatchObject(context)
    expect(seen.encryptedDataKeys.map(({ providerId }) => providerId)).toEqual(['test'])
    expect(() => inspect(Buffer.from('no message'))).toThrow('Not a message of the AWS Encryption SDK')
  })

  test('for several keys decrypts with each of them, and with no other', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name, n) => aes(name, Buffer.alloc(32, n)))
    const { result } = await client.encrypt(new MultiKeyring({ generator: a!, children: [b!, c!] }), 'for three')

    for (const keyring of [a!, b!, c!, new MultiKeyring({ children: [aes('d'), c!] })])
      expect((await client.decrypt(keyring, result)).plaintext.toString()).toBe('for three')
    for (const keyring of [aes('d'), aes('a', Buffer.alloc(32, 9))])
      expect(await codeOf(client.decrypt(keyring, result))).toBe('UnableToDecryptDataKey')
  })

  test('has a fresh data key and a fresh id each time', async () => {
    const [one, two] = await Promise.all([client.encrypt(aes(), 'same'), client.encrypt(aes(), 'same')])

    expect(one.messageHeader.messageId).not.toEqual(two.messageHeader.messageId)
    expect(one.messageHeader.encryptedDataKeys[0]!.encryptedDataKey).not.toEqual(
      two.messageHeader.encryptedDataKeys[0]!.encryptedDataKey,
    )
  })
})

describe('an encryption context', () => {
  test('must be the one of the message', async () => {
    const { result } = await client.encrypt(aes(), 'text', { encryptionContext: context })

    expect(await codeOf(opened(result, { encryptionContext: { tenant: 'red' } }))).toBe('EncryptionContextMismatch')
    expect(await codeOf(opened(result, { encryptionContext: { more: 'x' } }))).toBe('UnableToDecryptDataKey')
    expect(await codeOf(opened(result, { encryptionContext: { tenant: 'blue' } }))).toBe('no error')
  })

  test.each([
    [{ 'aws-crypto-x': 'y' }, 'ReservedEncryptionContextKey'],
    [{ '': 'y' }, 'InvalidEncryptionContext'],
    [{ x: '\ud800' }, 'InvalidEncryptionContext'],
    [{ x: 'y'.repeat(65_536) }, 'InvalidEncryptionContext'],
    [{ x: 'y'.repeat(65_535) }, 'InvalidEncryptionContext'],
    [{ x: 1 as unknown as string }, 'InvalidEncryptionContext'],
  ])('like %# is refused', async (encryptionContext, code) => {
    expect(await codeOf(client.encrypt(aes(), 'text', { encryptionContext }))).toBe(code)
  })

  test('may have any other key, sorted by its bytes', async () => {
    const odd = JSON.parse(
      '{"__proto__":"a","constructor":"b","\uffff":"c","\\ud83d\\ude00":"d","":"e"}'.replace(',"":"e"', ''),
    )

    const { result } = await client.encrypt(aes(), 'text', { encryptionContext: odd, suiteId: UNSIGNED })

    expect(Object.entries((await opened(result, { encryptionContext: odd })).messageHeader.encryptionContext)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['\uffff', 'c'],
      ['\u{1f600}', 'd'],
    ])
  })
})

describe('the commitment policy', () => {
  const legacy = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384
  test.each([
    ['REQUIRE_ENCRYPT_REQUIRE_DECRYPT', 'CommitmentPolicyViolation', 'no error', 'CommitmentPolicyViolation'],
    ['REQUIRE_ENCRYPT_ALLOW_DECRYPT', 'CommitmentPolicyViolation', 'no error', 'no error'],
    ['FORBID_ENCRYPT_ALLOW_DECRYPT', 'no error', 'CommitmentPolicyViolation', 'no error'],
  ] as const)(
    '%s: encrypt without, encrypt with, decrypt without commitment',
    async (policy, without, committed, read) => {
      const own = buildClient(policy)
      const { result } = await buildClient('FORBID_ENCRYPT_ALLOW_DECRYPT').encrypt(aes(), 'old')

      expect(await codeOf(own.encrypt(aes(), 'x', { suiteId: legacy }))).toBe(without)
      expect(await codeOf(own.encrypt(aes(), 'x', { suiteId: UNSIGNED }))).toBe(committed)
      expect(await codeOf(own.decrypt(aes(), result))).toBe(read)
    },
  )

  test('and the other settings are checked', async () => {
    for (const wrong of [
      { maxEncryptedDataKeys: 0 },
      { commitmentPolicy: 'NONE' as never },
      { commitmentPolicy: '__proto__' as never },
    ])
      expect(() => buildClient(wrong)).toThrow()
    for (const frameLength of [0, -1, 1.5, 2 ** 32, Number.NaN])
      expect(await codeOf(client.encrypt(aes(), 'x', { frameLength }))).toBe('InvalidConfiguration')
    expect(await codeOf(client.encrypt(aes(), 'x', { suiteId: 0x9999 as SuiteId }))).toBe('InvalidConfiguration')
    expect(() => aes('one', Buffer.alloc(31))).toThrow('16, 24 or 32 bytes')
    expect(() => new RawAesKeyring({ keyNamespace: 'aws-kms', keyName: 'x', key: KEY })).toThrow('kept for keys in KMS')
  })
})

describe('an attack', () => {
  const whole = () =>
    client.encrypt(aes(), 'p'.repeat(25), { encryptionContext: { a: 'b' }, frameLength: 10, suiteId: UNSIGNED })
  /** Where each part of a message for these keys begins; the header ends where the first frame begins. */
  const headerOf = (message: Buffer) => inspect(message).headerLength

  test('on any byte is refused, with the error that its place predicts', async () => {
    const { result } = await whole()
    const header = headerOf(result)
    const places: readonly (readonly [end: number, codes: RegExp])[] = [
      [1, /^MalformedMessage$/], // version
      [3, /^(MalformedMessage|SignatureInvalid)$/], // suite: the signed one has no public key here
      [35, /^KeyCommitmentMismatch$/], // message id
      [45, /^(UnableToDecryptDataKey|MalformedMessage)$/], // context
      [header - 53, /^(UnableToDecryptDataKey|MalformedMessage|TooManyEncryptedDataKeys)$/],
      [header - 48, /^(HeaderAuthFailed|MalformedMessage)$/], // content type, frame length
      [header - 16, /^KeyCommitmentMismatch$/],
      [header, /^HeaderAuthFailed$/],
      [result.length, /^(BodyAuthFailed|MalformedMessage)$/],
    ]
    for (let at = 0; at < result.length; at++) {
      const changed = Buffer.from(result)
      changed[at]! ^= 0x01
      expect(await codeOf(opened(changed)), `byte ${at}`).toMatch(places.find(([end]) => at < end)![1])
    }
  })

  test('on the end of a signed message is refused as well, byte by byte', async () => {
    const { result } = await client.encrypt(aes(), 'p'.repeat(25), { frameLength: 10 })
    const found = new Set<string>()
    for (let at = result.length - 150; at < result.length; at++) {
      const changed = Buffer.from(result)
      changed[at]! ^= 0x80
      found.add(await codeOf(opened(changed)))
    }

    expect([...found].sort()).toEqual(['BodyAuthFailed', 'MalformedMessage', 'SignatureInvalid'])
  })

  test('that cuts the message anywhere, or appends to it, is refused', async () => {
    for (const { result } of [await whole(), await client.encrypt(aes(), 'p'.repeat(25), { frameLength: 10 })]) {
      for (let length = 0; length < result.length; length += 3)
        expect(await codeOf(opened(result.subarray(0, length)))).toBe('MalformedMessage')
      expect(await codeOf(opened(Buffer.concat([result, Buffer.from([0])])))).toBe('TrailingData')
    }
  })

  test('that reorders, repeats or drops frames is refused', async () => {
    const { result } = await whole()
    const header = headerOf(result)
    const size = 4 + 12 + 10 + 16
    const [head, one, two, last] = [
      result.subarray(0, header),
      result.subarray(header, header + size),
      result.subarray(header + size, header + 2 * size),
      result.subarray(header + 2 * size),
    ]
    for (const frames of [[two, one, last], [one, one, two, last], [two, last], [one, last], [last], [last, one, two]])
      expect(await codeOf(opened(Buffer.concat([head!, ...(frames as Buffer[])])))).toBe('MalformedMessage')
    // The number is changed with the place: then the tag shows it.
    const renumbered = Buffer.from(two!)
    renumbered.writeUInt32BE(1)
    renumbered.writeUInt32BE(1, 12)
    expect(await codeOf(opened(Buffer.concat([head!, renumbered, last!])))).toBe('BodyAuthFailed')
  })

  test('that swaps the encrypted data key of another message in is refused', async () => {
    const [one, two] = [(await whole()).result, (await whole()).result]
    const at = headerOf(one) - 48 - 5
    const swapped = Buffer.concat([one.subarray(0, at - 80), two.subarray(at - 80, at), one.subarray(at)])

    expect(await codeOf(opened(swapped))).toMatch(/UnableToDecryptDataKey|KeyCommitmentMismatch/)
  })

  test('that takes the signature away is refused', async () => {
    const signed = (await client.encrypt(aes(), 'text')).result
    const stripped = Buffer.from(signed)
    stripped.writeUInt16BE(UNSIGNED, 1)

    expect(await codeOf(opened(stripped))).toBe('SignatureInvalid')
  })

  test('by many data keys, a long header or a long frame is refused before it costs', async () => {
    const many = new MultiKeyring({
      generator: aes('0'),
      children: Array.from({ length: 3 }, (_, n) => aes(`${n + 1}`)),
    })
    const few = buildClient({ maxEncryptedDataKeys: 3 })
    const { result } = await client.encrypt(many, 'x', { frameLength: 5_000 })

    expect(await codeOf(few.encrypt(many, 'x'))).toBe('TooManyEncryptedDataKeys')
    expect(await codeOf(few.decrypt(many, result))).toBe('TooManyEncryptedDataKeys')
    expect(await codeOf(client.decrypt(many, result, { maxHeaderLength: 300 }))).toBe('FrameLimitExceeded')
    expect(await codeOf(client.decrypt(many, result, { maxBodyLength: 4_999 }))).toBe('FrameLimitExceeded')
    expect(await codeOf(client.decrypt(many, result, { maxBodyLength: 5_000 }))).toBe('no error')
  })

  test('of random changes neither crashes nor yields plaintext', async () => {
    const mutations = Number(process.env['MERLON_MUTATIONS'] ?? 400)
    const messages = [(await whole()).result, (await client.encrypt(aes(), 'q'.repeat(40), { frameLength: 16 })).result]
    const codes = new Set<string>()
    for (let n = 0; n < mutations; n++) {
      const source = messages[n % messages.length]!
      const changed = mutate(source, n)
      if (changed.equals(source)) continue
      codes.add(await codeOf(opened(changed)))
    }

    expect(codes.has('no error')).toBe(false)
    expect([...codes].filter((code) => !/^[A-Z][A-Za-z]+$/.test(code))).toEqual([])
  })
})

/** Flips, cuts, inserts, repeats or overwrites: chosen by a generator that begins with `seed`, so that a failure comes again. */
function mutate(source: Buffer, seed: number): Buffer {
  let state = (seed + 1) * 2_654_435_761
  const below = (most: number) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % most
  }
  const at = below(source.length)
  const length = 1 + below(16)
  const some = Buffer.from(Array.from({ length }, () => below(256)))
  const [before, after] = [source.subarray(0, at), source.subarray(at)]
  const kinds = [
    () => {
      const copy = Buffer.from(source)
      copy[at]! ^= 1 << below(8)
      return copy
    },
    () => Buffer.concat([before, some, after]),
    () => Buffer.concat([before, after.subarray(length)]),
    () => Buffer.concat([before, some, after.subarray(length)]),
    () => Buffer.concat([before, source.subarray(below(source.length)), after]),
    () => before,
  ]
  return kinds[below(kinds.length)]!()
}

describe('a stream', () => {
  const chunks = (bytes: Buffer, size: number) =>
    Readable.from(
      (function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
      })(),
    )
  async function through(source: Readable, ...streams: Duplex[]): Promise<Buffer> {
    const parts: Buffer[] = []
    await pipeline(source, ...(streams as [Duplex]), async (out: AsyncIterable<Buffer>) => {
      for await (const part of out) parts.push(part)
    })
    return Buffer.concat(parts)
  }

  test.each([1, 7, 4096, 100_000])('of chunks of %i bytes reads and writes what the whole does', async (size) => {
    const plaintext = randomBytes(size < 10 ? 700 : 50_000)
    const whole = (await client.encrypt(aes(), plaintext)).result
    const headers: unknown[] = []
    const decrypting = client
      .decryptStream(aes(), { encryptionContext: {} })
      .on('MessageHeader', (header) => headers.push(header))

    expect(await through(chunks(whole, size), decrypting)).toEqual(plaintext)
    const streamed = await through(chunks(plaintext, size), client.encryptStream(aes(), { encryptionContext: context }))
    expect((await opened(streamed, { encryptionContext: context })).plaintext).toEqual(plaintext)
    expect(headers).toMatchObject([{ suiteId: 0x0578, signed: true }])
  })

  test('of nothing is a message without content', async () => {
    const streamed = await through(Readable.from([]), client.encryptStream(aes()))

    expect((await opened(streamed)).plaintext).toHaveLength(0)
    await expect(through(Readable.from([]), client.decryptStream(aes()))).rejects.toMatchObject({
      code: 'MalformedMessage',
    })
  })

  test('gives no byte of a frame that does not authenticate, and none of the last one before the signature', async () => {
    const { result } = await client.encrypt(aes(), Buffer.alloc(30, 'p'), { frameLength: 10 })
    const header = inspect(result).headerLength
    const seen = async (message: Buffer) => {
      let length = 0
      const stream = client.decryptStream(aes()).on('data', (part: Buffer) => (length += part.length))
      const failed = await pipeline(chunks(message, 5), stream).then(
        () => undefined,
        (error: EncryptionSdkError) => error.code,
      )
      return [length, failed]
    }
    const changed = (at: number) => {
      const copy = Buffer.from(result)
      copy[at]! ^= 1
      return copy
    }

    expect(await seen(result)).toEqual([30, undefined])
    expect(await seen(changed(header + 16))).toEqual([0, 'BodyAuthFailed'])
    expect(await seen(changed(header + 42 + 20))).toEqual([10, 'BodyAuthFailed'])
    expect(await seen(changed(result.length - 3))).toEqual([20, 'SignatureInvalid'])
    expect(await seen(result.subarray(0, result.length - 10))).toEqual([20, 'MalformedMessage'])
  })

  test('for unsigned messages refuses signed ones before the first byte', async () => {
    const signed = (await client.encrypt(aes(), 'text')).result
    const unsigned = (await client.encrypt(aes(), 'text', { suiteId: UNSIGNED })).result

    await expect(through(chunks(signed, 50), client.decryptUnsignedMessageStream(aes()))).rejects.toMatchObject({
      code: 'SignedMessageRefused',
    })
    expect((await through(chunks(unsigned, 50), client.decryptUnsignedMessageStream(aes()))).toString()).toBe('text')
  })

  test('holds a frame and no more, and refuses frames beyond the limit', async () => {
    const { result } = await client.encrypt(aes(), Buffer.alloc(200_000), { frameLength: 100_000 })

    await expect(
      through(chunks(result, 1000), client.decryptStream(aes(), { maxBodyLength: 99_999 })),
    ).rejects.toMatchObject({ code: 'FrameLimitExceeded' })
    await expect(
      through(chunks(Buffer.alloc(20), 10), client.encryptStream(aes(), { plaintextLength: 19 })),
    ).rejects.toMatchObject({ code: 'FrameLimitExceeded' })
  })

  test('of the web platform does the same', async () => {
    const source = new Blob([
      'to and ',
      'from',
    ]).stream() as unknown as import('node:stream/web').ReadableStream<Uint8Array>

    const out = source.pipeThrough(client.encryptTransform(aes())).pipeThrough(client.decryptTransform(aes()))

    expect((await through(Readable.fromWeb(out))).toString()).toBe('to and from')
  })

  test('fails when its keyring does', async () => {
    const failing = new MultiKeyring({ children: [aes()] })

    await expect(through(chunks(Buffer.from('x'), 1), client.encryptStream(failing))).rejects.toMatchObject({
      code: 'InvalidConfiguration',
    })
  })
})
