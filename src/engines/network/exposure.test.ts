/** What the internet reaches, after changes: the same as when all of it is computed again. */
import { expect, test } from 'vitest'
import { exposureOf } from './exposure.ts'
import type { Network } from './network.ts'
import { randomFrom, randomNetwork, randomWideNetwork } from './random-network.fixture.ts'

const what = { protocol: 6 }
const verdictsOf = (network: Network) => exposureOf(network, what).verdicts

/** One part of the network as in another one. */
function changed(network: Network, other: Network, random: (n: number) => number): Network {
  const swap = <T extends { readonly id: string }>(all: readonly T[], others: readonly T[]): readonly T[] => {
    const { id } = all[random(all.length)]!
    return all.map((each) => (each.id === id ? (others.find((part) => part.id === id) ?? each) : each))
  }
  switch (random(5)) {
    case 0:
      return { ...network, acls: swap(network.acls, other.acls) }
    case 1:
      return { ...network, routeTables: swap(network.routeTables, other.routeTables) }
    case 2:
      return { ...network, internetGateways: other.internetGateways }
    default:
      return { ...network, groups: swap(network.groups, other.groups) }
  }
}

test('is as exact as when all of it is computed', () => {
  const random = randomFrom(11)
  for (let n = 0; n < 100; n++) {
    const networkOf = n % 2 === 0 ? randomNetwork : randomWideNetwork
    let network = networkOf(random)
    const other = networkOf(random)
    let exposure = exposureOf(network, what)
    for (let m = 0; m < 5; m++) {
      network = changed(network, other, random)
      exposure = exposureOf(network, what, exposure)
      expect(exposure.verdicts).toEqual(verdictsOf(network))
    }
  }
})

test('is computed for the interfaces alone that a rule concerns', () => {
  const network = randomWideNetwork(randomFrom(3))
  const [first, ...others] = network.groups
  const member = network.interfaces.filter(({ groups }) => groups.includes(first!.id))
  const before = exposureOf(network, what)
  const after = exposureOf({ ...network, groups: [{ ...first!, rules: [] }, ...others] }, what, before)

  const withIpv4 = network.interfaces.filter(({ address }) => address !== '')
  expect(before.computed).toBe(withIpv4.length)
  expect(after.computed).toBe(member.filter(({ address }) => address !== '').length)
  expect(exposureOf(network, { protocol: 17 }, after).computed).toBe(withIpv4.length)
})
