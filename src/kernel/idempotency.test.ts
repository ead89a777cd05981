import type * as STS from '@aws-sdk/client-sts'
import { GetAccessKeyInfoCommand, STSClient } from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { cloud } from '../../test/cloud.ts'
import { once } from './idempotency.ts'
import { anything } from './resource.ts'
import { service } from './service.ts'

const words = service<typeof STS>('sts')
const DAY_MS = 24 * 3_600_000

/** An operation that counts, and takes the first letter of its input as the caller's token. */
async function counter() {
  let runs = 0
  const counting = words
    .operation('GetAccessKeyInfo')
    .on(anything)
    .run((call, { AccessKeyId: id }) => {
      const token = id.startsWith('-') ? undefined : id.slice(0, 1)
      const mismatch = () => words.fail('RegionDisabledException', 'the token was used otherwise')
      return once(call, token, { id }, mismatch, async () => ({ Account: String(++runs) }))
    })
  const it = await cloud({ services: [{ api: words.api, operations: [counting] }] })
  const ask = async (id: string) => {
    const AccessKeyId = id.padEnd(20, '0')
    const clients = it.client(STSClient)
    return (await clients.send(new GetAccessKeyInfoCommand({ AccessKeyId }))).Account
  }
  return { ...it, ask }
}

test('The same token and input give the same answer, for a day', async () => {
  const { ask, clock } = await counter()

  expect([await ask('a'), await ask('a'), await ask('b')]).toEqual(['1', '1', '2'])
  clock.advance(DAY_MS - 60_000)
  expect(await ask('a')).toBe('1')
  clock.advance(60_000)
  expect(await ask('a')).toBe('3')
})

test('A token with another input is refused, and changes nothing', async () => {
  const { ask } = await counter()
  await ask('a1')

  await expect(ask('a2')).rejects.toThrow('the token was used otherwise')

  expect(await ask('a1')).toBe('1')
})

test('Of many at once with one token, one runs', async () => {
  const { ask } = await counter()

  const answers = await Promise.all(Array.from({ length: 8 }, () => ask('a')))

  expect(new Set(answers).size).toBe(1)
})
