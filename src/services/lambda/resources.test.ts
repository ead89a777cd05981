import { expect, test } from 'vitest'
import { rowKey } from './resources.ts'

const home = { account: '111122223333', region: 'eu-west-1' }

test.each([
  ['functions', { name: 'rotator' }, 'lambda/function/111122223333/eu-west-1/rotator'],
  ['versions', { name: 'rotator', version: 7 }, 'lambda/version/111122223333/eu-west-1/rotator/0000000007'],
] as const)('The key of the rows of %s is the one of released versions', (_type, row, released) => {
  expect(rowKey(home, row)).toBe(released)
})
