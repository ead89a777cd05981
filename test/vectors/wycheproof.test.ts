/**
 * KMS §6.3: Wycheproof against KMS, every file and every case: through the API where its keys can be imported, and
 * below it, at the same functions, where the vectors hold public keys only. What cannot be checked is counted in the
 * output, with the reason.
 */
import { KMSClient } from '@aws-sdk/client-kms'
import { beforeAll, describe, expect, test } from 'vitest'
import { cloud } from '../cloud.ts'
import { belowApi } from './below-api.ts'
import { allFiles, type Below, FAMILIES, filesLike, groupsOf, type Through } from './files.ts'
import { Tally } from './tally.ts'
import { throughApi } from './through-api.ts'

let kms: KMSClient

beforeAll(async () => {
  kms = (await cloud()).client(KMSClient)
})

async function all(file: string, run: (tally: Tally) => Promise<void>): Promise<void> {
  const tally = new Tally()

  await run(tally)

  console.log(tally.told(file))
  expect(tally.wrong).toEqual([])
  expect(tally.total).toBe(groupsOf(file).reduce((sum, { tests }) => sum + tests.length, 0))
}

const entries = <K extends string>(families: Readonly<Record<K, RegExp>>) =>
  Object.keys(families).flatMap((family) =>
    filesLike(families[family as K]).map((file): readonly [string, K] => [file, family as K]),
  )

test('Every file of the vectors is of one family', () => {
  const files = [...entries(FAMILIES.through), ...entries(FAMILIES.below)].map(([file]) => file)

  expect([...files].sort()).toEqual([...allFiles()].sort())
  expect(files).toHaveLength(51)
})

describe('Through the API', () => {
  test.each(entries<Through>(FAMILIES.through))('%s', (file, family) =>
    all(file, (tally) => throughApi[family](kms, file, tally)),
  )
})

describe('Below the API', () => {
  test.each(entries<Below>(FAMILIES.below))('%s', (file, family) => all(file, (tally) => belowApi[family](file, tally)))
})
