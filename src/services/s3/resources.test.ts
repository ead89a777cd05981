/** Where rows are stored: these texts are on customers' disks and never change. */
import { expect, test } from 'vitest'
import { bucket } from './resources.ts'
import { at } from './rows.ts'

test('A bucket is stored by its name alone, and listed by its account', () => {
  const place = { account: '111122223333', region: 'eu-west-1' }

  expect(bucket.key(place, { BucketName: 'my.logs' })).toBe('s3/bucket/my.logs')
  expect(at.owned('111122223333', 'my.logs')).toBe('s3/bucket-of/111122223333/my.logs')
})

test('An object is stored by its bucket and the bytes of its name', () => {
  expect(at.object('my.logs', 'a/é')).toBe('s3/object/my.logs/612fc3a9')
})
