import { expect, test } from 'vitest'
import { trailType } from './resources.ts'

test('The key of trail rows is the one of released versions', () => {
  const home = { account: '111122223333', region: 'eu-west-1' }

  expect(trailType.key(home, { TrailName: 'main' })).toBe('cloudtrail/trail/111122223333/eu-west-1/main')
})
