/** What an attacker with write access to the database does to the log, and what verification reports. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { asNode } from '../../../test/node.ts'
import { chainId, type Head, linkHash } from '../../store/chain.ts'
import { type Database, openDatabase } from '../../store/engine.ts'
import { openStore } from '../../store/sqlite.ts'
import type { EvidenceRow, Store } from '../../store/store.ts'
import { ephemeralVault } from '../../vault/ephemeral.ts'
import { MovableClock } from '../state/clock.ts'
import { type Checkpoint, checkpoints, readWitness } from './checkpoint.ts'
import { ChainBrokenError, CheckpointService } from './keeper.ts'
import { verifyLog } from './verify.ts'

const ACCOUNT = '111122223333'
const CHAIN = `${ACCOUNT} us-east-1 main`
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A log on disk of two chains, ten records each, with a checkpoint after five and one at the end. */
async function installation() {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-evidence-'))
  folders.push(folder)
  const file = join(folder, 'db')
  const vault = await ephemeralVault()
  const clock = new MovableClock(Date.UTC(2026, 0, 1))
  const errors: unknown[] = []
  const opened = async <T>(work: (store: Store, keeper: CheckpointService) => Promise<T>): Promise<T> => {
    const store = await openStore({ file })
    const keeper = new CheckpointService(store, vault, clock, (error) => void errors.push(error))
    try {
      await keeper.start()
      return await work(store, keeper)
    } finally {
      await keeper.stop()
      await store.close()
    }
  }
  const append = (store: Store, from: number, to: number) =>
    store.run((unit) => {
      for (let n = from; n <= to; n++)
        for (const region of ['us-east-1', 'eu-west-1'])
          unit.append({ id: `${region}-${n}`, account: ACCOUNT, region, timeMs: n, attributes: [], body: `{"n":${n}}` })
    })
  await opened(async (store, keeper) => {
    await append(store, 1, 5)
    await keeper.checkpoint()
    clock.advance(3_600_000)
    await append(store, 6, 10)
  })
  const verify = (witnessed: readonly Checkpoint[] = []) => opened((store) => verifyLog(store, vault, witnessed))
  return {
    errors,
    opened,
    append,
    verify,
    findings: async (witnessed?: readonly Checkpoint[]) => (await verify(witnessed)).findings,
    sql: async (work: (database: Database) => void) => {
      const database = await openDatabase(file)
      work(database)
      database.close()
    },
    witness: () =>
      opened(async (store) => {
        const kept: Checkpoint[] = []
        for await (const { document } of checkpoints(store)) kept.push(document)
        return kept
      }),
  }
}

/** What an attacker does who can compute hashes but has no key. */
function rehash(database: Database): void {
  const before = new Map<string, EvidenceRow>()
  const rows = database
    .prepare(
      'SELECT position, account, region, node, id, time_ms AS timeMs, attributes, body FROM log ORDER BY position',
    )
    .all() as unknown as EvidenceRow[]
  for (const row of rows) {
    const previous = before.get(chainId(row))
    const hash = linkHash(previous, row)
    const sequence = (previous?.sequence ?? 0) + 1
    database.prepare('UPDATE log SET hash = ?, sequence = ? WHERE position = ?').run(hash, sequence, row.position)
    database
      .prepare('UPDATE chains SET hash = ?, sequence = ? WHERE account = ? AND region = ?')
      .run(hash, sequence, row.account, row.region)
    before.set(chainId(row), { ...row, hash, sequence })
  }
}

const EDIT = `UPDATE log SET body = '{"n":99}' WHERE id = 'us-east-1-4'`
const DELETE = `DELETE FROM log WHERE id = 'us-east-1-4'`
const FORGET_CHECKPOINTS = `DELETE FROM documents WHERE key LIKE 'kernel/checkpoint%'`

describe('The check of the log', () => {
  test('finds nothing wrong with a log as it was written, over restarts and changes of the key', async () => {
    const { verify, errors } = await installation()

    expect(await verify()).toEqual({ records: 20, chains: 2, checkpoints: 2, witnessed: 0, findings: [] })
    expect(errors).toEqual([])
  })

  test.each([
    ['an edited event', EDIT, 4, /not what was written/],
    ['an edited time', `UPDATE log SET time_ms = 99 WHERE id = 'us-east-1-4'`, 4, /not what was written/],
    ['an edited attribute', `UPDATE log SET attributes = '[["a","b"]]' WHERE id = 'us-east-1-4'`, 4, /not what was/],
    ['a deleted event', DELETE, 4, /record 5 is here/],
    [
      'two events in each other’s place',
      `UPDATE log SET position = -1 WHERE id = 'us-east-1-4';
       UPDATE log SET position = (SELECT position + 2 FROM log WHERE id = 'eu-west-1-4') - 3 WHERE id = 'us-east-1-5';
       UPDATE log SET position = 9 WHERE position = -1`,
      4,
      /record 5 is here/,
    ],
    [
      'an event moved to another account',
      `UPDATE log SET account = '999988887777' WHERE id = 'us-east-1-4'`,
      4,
      /record 5 is here/,
    ],
    ['a shortened log', `DELETE FROM log WHERE time_ms > 8`, 9, /there are 8/],
    ['a forged MAC', `UPDATE log SET mac = zeroblob(32) WHERE id = 'us-east-1-4'`, 4, /MAC/],
  ])('finds %s', async (_, statement, sequence, what) => {
    const { sql, findings } = await installation()

    await sql((database) => database.exec(statement))

    const [first] = (await findings()).filter(({ chain }) => chain === CHAIN)
    expect(first).toMatchObject({ sequence, what: expect.stringMatching(what) })
  })

  test.each([
    ['an edited event', EDIT],
    ['a deleted event', DELETE],
  ])('finds %s when all hashes were made anew, for the MACs could not be', async (_, statement) => {
    const { sql, findings } = await installation()

    await sql((database) => {
      database.exec(statement)
      rehash(database)
    })

    const found = await findings()
    expect(found).toContainEqual({ chain: CHAIN, sequence: 4, what: expect.stringMatching(/MAC/) })
  })

  test('finds an event edited when hashes were made anew and MACs taken away, and the server says so at once', async () => {
    const { sql, findings, errors } = await installation()

    await sql((database) => {
      database.exec(`${EDIT}; UPDATE log SET mac = NULL, epoch = -1`)
      rehash(database)
    })

    expect(errors).toEqual([])
    const found = await findings()
    expect(errors).toContainEqual(expect.any(ChainBrokenError))
    expect(found).toContainEqual({ chain: CHAIN, sequence: 1, what: expect.stringMatching(/nothing vouches/) })
  })

  test('needs a witness for a tail that was cut off together with its checkpoints', async () => {
    const { sql, findings, witness, opened } = await installation()
    const kept = await witness()
    const heads = await opened((store) => store.evidence(0, 10))
    await sql((database) => {
      database.exec(`DELETE FROM log WHERE time_ms > 5; ${FORGET_CHECKPOINTS}`)
      for (const row of heads as readonly Head[])
        database
          .prepare('UPDATE chains SET sequence = ?, hash = ?, epoch = ?, mac = ? WHERE account = ? AND region = ?')
          .run(row.sequence, row.hash, row.epoch, row.mac, row.account, row.region)
    })

    const alone = await findings()
    const found = await findings(kept)

    expect(alone).toEqual([])
    expect(found).toContainEqual({
      chain: CHAIN,
      sequence: 6,
      what: expect.stringMatching(/witness.*10 records.*are 5/),
    })
  })

  test.each([
    ['a checkpoint that is gone', `DELETE FROM documents WHERE key LIKE 'kernel/checkpoint/main/%1'`, 1, /missing/],
    [
      'a checkpoint with other content',
      `UPDATE documents SET document = replace(document, '"sequence":5', '"sequence":4') WHERE key LIKE 'kernel/checkpoint/main/%1'`,
      1,
      /signature/,
    ],
    [
      'a checkpoint that is none',
      `UPDATE documents SET document = '{"moved":1}' WHERE key LIKE 'kernel/checkpoint/main/%2'`,
      2,
      /is no checkpoint/,
    ],
    [
      'a checkpoint that names no chains',
      `UPDATE documents SET document = replace(document, '"region"', '"place"') WHERE key LIKE 'kernel/checkpoint/main/%2'`,
      2,
      /is no checkpoint/,
    ],
  ])('finds %s', async (_, statement, sequence, what) => {
    const { sql, findings } = await installation()

    await sql((database) => database.exec(statement))

    const found = await findings()
    expect(found).toContainEqual({ chain: 'checkpoints main', sequence, what: expect.stringMatching(what) })
  })

  test('records where the chains of a killed node end: another node signs it, once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'merlon-evidence-'))
    folders.push(folder)
    const vault = await ephemeralVault()
    const store = await openStore({ file: join(folder, 'db') })
    const errors: unknown[] = []
    let watch = 0
    const keeperOf = (node: string) =>
      new CheckpointService(
        asNode(store, node),
        vault,
        new MovableClock(),
        (error) => void errors.push(error),
        () => watch,
      )
    const [killed, ...living] = ['main', 'b', 'c'].map(keeperOf)
    await killed!.start()
    const append = (n: number) =>
      store.run((unit) =>
        unit.append({
          id: `${n}`,
          account: ACCOUNT,
          region: 'us-east-1',
          timeMs: n,
          attributes: [],
          body: `{"n":${n}}`,
        }),
      )
    for (let n = 1; n <= 5; n++) await append(n)
    await killed!.checkpoint()
    // From here on it says nothing more.
    for (let n = 6; n <= 8; n++) await append(n)
    const beats = async (times: number) => {
      for (let n = 0; n < times; n++) {
        watch += 60_000
        await Promise.all(living.map((keeper) => keeper.beat()))
      }
    }
    const all = async () => {
      const found: Checkpoint[] = []
      for await (const { document } of checkpoints(store)) found.push(document)
      return found.map(({ node, number, moved }) => [node, number, moved.map(({ sequence }) => sequence)])
    }
    await beats(3)
    expect(await all()).toEqual([['main', 1, [5]]])
    await beats(3)
    expect(await all()).toEqual([
      ['main', 1, [5]],
      ['main', 2, [8]],
    ])
    await beats(10)
    expect(await all()).toHaveLength(2)
    expect(errors).toEqual([])
    expect((await verifyLog(store, vault)).findings).toEqual([])
    await Promise.all([killed!, ...living].map((keeper) => keeper.stop()))
    await store.close()

    const database = await openDatabase(join(folder, 'db'))
    database.exec(`DELETE FROM log WHERE time_ms = 8; DELETE FROM chains`)
    database.close()
    const opened = await openStore({ file: join(folder, 'db') })
    expect((await verifyLog(opened, vault)).findings).toEqual([
      { chain: CHAIN, sequence: 8, what: expect.stringMatching(/checkpoint 2 has 8 records, and there are 7/) },
    ])
    await opened.close()
  })

  test('goes on rightly behind a write that failed', async () => {
    const { opened, append, findings } = await installation()
    await opened(async (store) => {
      const refused = store.run((unit) => {
        unit.append({ id: 'x', account: ACCOUNT, region: 'us-east-1', timeMs: 1, attributes: [], body: '{}' })
        throw new Error('no')
      })
      await expect(refused).rejects.toThrow('no')
      await append(store, 11, 12)
    })

    expect(await findings()).toEqual([])
  })
})

test('A witness’s file may hold anything: what is no checkpoint of ours is named', async () => {
  const { findings } = await installation()

  const written = '{"kind":"merlon-checkpoint","node":"main","number":2,"moved":[null]}'

  expect(await findings(readWitness(written))).toEqual([
    { chain: 'checkpoints main', sequence: 2, what: expect.stringMatching(/signature that is not ours/) },
  ])
})

test('A witness’s file is read past what is not a checkpoint, and past a line cut short', () => {
  const line = '{"kind":"merlon-checkpoint","number":1}'

  expect(readWitness(`<110>1 - host merlon - - - ${line}\nnoise\n\n${line.slice(0, 30)}`)).toEqual([
    { kind: 'merlon-checkpoint', number: 1 },
  ])
})
