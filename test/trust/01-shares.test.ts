/** Root of trust §6.1: five shares, of which any three unseal; two do not, and a share of another set is named. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { element } from '../../src/kernel/client/client.ts'
import { clientOf, folder, health, initWithShares, lines, merlon, start } from './shell.ts'

test('Trust 1: any three of five shares unseal after a restart: all ten ways', async () => {
  const data = join(folder(), 'data')
  const { shares, root } = await initWithShares(data)
  const subsets = shares.flatMap((a, i) =>
    shares.slice(i + 1).flatMap((b, j) => shares.slice(i + j + 2).map((c) => [a, b, c] as const)),
  )
  expect(subsets).toHaveLength(10)

  for (const subset of subsets) {
    const server = await start(data)
    expect(await health(server.url)).toEqual({ http: 503, status: 'sealed' })

    const unsealed = await merlon(['unseal', '--data', data], lines(...subset))

    expect([unsealed.status, unsealed.stdout]).toEqual([0, expect.stringContaining('Merlon is unsealed.')])
    expect(await health(server.url)).toEqual({ http: 200, status: 'ok' })
    const identity = await clientOf(server.url, root).query('sts', 'GetCallerIdentity')
    expect(element(identity, 'Account')).toBe(root.accountId)
    await server.stop()
  }
})

test('Trust 1: two shares do not unseal, and calls are refused in a way that clients retry', async () => {
  const data = join(folder(), 'data')
  const { shares, root } = await initWithShares(data)
  const server = await start(data)

  const ended = await merlon(['unseal', '--data', data], lines(shares[0], shares[3]))

  expect(ended.status).toBe(3)
  expect(ended.stdout).toMatch(/Share 4 is right: 2 of 3\. Go on until .* \(nonce [0-9a-f]{16}\)/)
  expect((await health(server.url)).status).toBe('sealed')
  for (const ask of [
    clientOf(server.url, root).query('iam', 'ListUsers'),
    clientOf(server.url, root).json('cloudtrail', 'CloudTrail_20131101.LookupEvents'),
  ]) {
    await expect(ask).rejects.toMatchObject({ code: expect.stringMatching(/^ServiceUnavailable/) })
  }
})

test('Trust 1: a mixed-up, a mistyped and a repeated share are named, and do not spoil the others', async () => {
  const [data, elsewhere] = [join(folder(), 'data'), join(folder(), 'other')]
  const { shares } = await initWithShares(data)
  const { shares: others } = await initWithShares(elsewhere)
  const server = await start(data)
  const enter = (share: string | undefined) => merlon(['unseal', '--data', data], lines(share))

  await enter(shares[0])
  const mixedUp = await enter(others[1])
  const mistyped = await enter(shares[1]!.replace(/.$/, (last) => (last === 'Q' ? 'R' : 'Q')))
  const twice = await enter(shares[0])
  await enter(shares[1])
  const last = await enter(shares[4])

  expect(mixedUp.stderr).toMatch(/MERLON_SHARE_INVALID: share 2 belongs to another set of shares/)
  expect(mistyped.stderr).toMatch(/MERLON_SHARE_INVALID: share 2 of this entry is mistyped/)
  expect(twice.stderr).toMatch(/MERLON_SHARE_DUPLICATE: share 1 has been entered already/)
  expect([mixedUp.status, mistyped.status, twice.status]).toEqual([1, 1, 1])
  expect([last.status, (await health(server.url)).status]).toEqual([0, 'ok'])
  for (const share of [...shares, ...others]) expect(server.log()).not.toContain(share.slice(0, 20))
})

test('merlon seal refuses every call from then on, until shares come again', async () => {
  const data = join(folder(), 'data')
  const { shares, root } = await initWithShares(data)
  const server = await start(data)
  await merlon(['unseal', '--data', data], lines(...shares))
  const client = clientOf(server.url, root)
  await client.query('iam', 'CreateUser', { UserName: 'ann' })

  const sealed = await merlon(['seal', '--data', data])

  expect(sealed.stdout).toBe('Merlon is sealed.\n')
  await expect(client.query('iam', 'ListUsers')).rejects.toThrow('The server is sealed')
  await merlon(['unseal', '--data', data], lines(...shares.slice(2)))
  expect(element(await client.query('iam', 'ListUsers'), 'UserName')).toBe('ann')
})

test('new shares hold once they are proven, and the old ones until then', async () => {
  const data = join(folder(), 'data')
  const { shares: old } = await initWithShares(data)
  const server = await start(data)
  const unseal = (...shares: (string | undefined)[]) => merlon(['unseal', '--data', data], lines(...shares))
  const seal = () => merlon(['seal', '--data', data])
  await unseal(...old)

  const { stdout } = await merlon(['rekey', '--data', data, '--shares', '3', '--threshold', '2', '--json'])
  const fresh = JSON.parse(stdout.trim()).shares as string[]
  await seal()
  const byOld = await unseal(...old.slice(0, 3))
  const confirmed = await merlon(['rekey', '--confirm', '--data', data], lines(fresh[0], fresh[2]))
  await seal()
  const byOldAgain = await unseal(...old.slice(0, 3))
  const byNew = await unseal(fresh[1], fresh[2])

  expect([byOld.status, confirmed.status]).toEqual([0, 0])
  expect([byOldAgain.status, byOldAgain.stderr]).toEqual([1, expect.stringContaining('belongs to another set')])
  expect([byNew.status, (await health(server.url)).status]).toEqual([0, 'ok'])
})
