/** Where the rows of each type are stored: these texts are on customers' disks and never change. */
import { expect, test } from 'vitest'
import { alias, key } from './resources.ts'

const place = { account: '111122223333', region: 'eu-west-1' }

test('A key is stored by its account, its Region and its ID', () => {
  expect(key.key(place, { KeyId: 'mrk-1234abcd' })).toBe('kms/key/111122223333/eu-west-1/mrk-1234abcd')
  expect(key.prefix(place)).toBe('kms/key/111122223333/eu-west-1/')
})

test('An alias is stored by its account, its Region and its name with the prefix', () => {
  expect(alias.key(place, { name: 'alias/a/b' })).toBe('kms/alias/111122223333/eu-west-1/alias%2Fa%2Fb')
  expect(alias.prefix(place)).toBe('kms/alias/111122223333/eu-west-1/')
})
