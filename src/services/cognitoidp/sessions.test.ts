/** What sign-ins leave behind is removed once it is over, behind however many rows that are not. */
import { expect, test } from 'vitest'
import { under } from '../../store/store.ts'
import { at, type PoolRow } from './resources.ts'
import { sweep } from './sessions.ts'
import { poolFixture } from './user-pool.fixture.ts'

const NOW = 1_000_000

test('A sweep begins at its own ID, so that rows behind a hundred live ones are removed, too', async () => {
  const { store, UserPoolId } = await poolFixture()
  const pool = { id: UserPoolId } as PoolRow
  const kinds = ['session', 'spent'] as const
  const id = (first: string, n: number) => `${first}${String(n).padStart(7, '0')}`
  await store.run((unit) => {
    for (const kind of kinds) {
      for (let n = 0; n < 150; n++) unit.put(at[kind](UserPoolId, 'ana', id('1', n)), { endsAt: NOW + 1 })
      for (let n = 0; n < 20; n++) unit.put(at[kind](UserPoolId, 'ana', id('f', n)), { endsAt: NOW })
      unit.put(at[kind](UserPoolId, 'bea', id('f', 0)), { endsAt: NOW })
    }
  })
  const counts = () =>
    Promise.all(
      kinds.flatMap((kind) =>
        ['ana', 'bea'].map(
          async (sub) => (await store.reader.range(under('cognito-idp', kind, UserPoolId, sub))).length,
        ),
      ),
    )
  const swept = async (by: string) => {
    await store.run((unit) => sweep(unit, pool, 'ana', NOW, by))
    return counts()
  }
  const all = [170, 1, 170, 1]
  expect(await swept('00000000')).toEqual(all)
  // Seven of eight sign-ins do not sweep.
  expect(await swept('e0000001')).toEqual(all)
  // Nothing of another user, and nothing that is still good.
  expect(await swept('e0000000')).toEqual([150, 1, 150, 1])
})
