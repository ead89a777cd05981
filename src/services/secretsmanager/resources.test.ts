import { expect, test } from 'vitest'
import { secretType } from './resources.ts'

test('The key of secret rows is the one of released versions', () => {
  const home = { account: '111122223333', region: 'eu-west-1' }

  expect(secretType.key(home, { name: 'app/database' })).toBe(
    'secretsmanager/secret/111122223333/eu-west-1/app%2Fdatabase',
  )
})
