/**
 * A checkpoint: the ends of all chains of a node at one moment, signed by the installation. Stored here and sent to
 * witnesses elsewhere, it proves what the log was, also against an attacker who rewrites all of it.
 */
import { hash, verify } from 'node:crypto'
import { chainId, type Head } from '../../store/chain.ts'
import { type Entry, type Key, key, type Store, under } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { isoSeconds } from '../events/event.ts'

/** One chain's last record. */
export interface ChainTip {
  readonly account: string
  readonly region: string
  readonly sequence: number
  /** Hex, 32 bytes. */
  readonly hash: string
}

export interface Checkpoint {
  readonly kind: 'merlon-checkpoint'
  readonly node: string
  /** From 1, without gaps, for each node. */
  readonly number: number
  /** ISO 8601. */
  readonly time: string
  /** The chains that have grown since the one before. */
  readonly moved: readonly ChainTip[]
  /** SHA-256 over the ends of all chains of the node, hex. */
  readonly all: string
  /** SHA-256 of the checkpoint before, hex; empty for the first. */
  readonly previous: string
  /** Ed25519 over the text of all members above, base64. */
  readonly signature: string
}

type Unsigned = Omit<Checkpoint, 'signature'>

const CHECKPOINTS = (node: string) => under('kernel', 'checkpoint', node)
export const ALL_CHECKPOINTS = under('kernel', 'checkpoint')
const NUMBER_DIGITS = 12

const digits = (number: number): string => String(number).padStart(NUMBER_DIGITS, '0')

export const checkpointKey = (node: string, number: number): Key => key('kernel', 'checkpoint', node, digits(number))

/** What is signed, member by member in this order. */
const statement = ({ kind, node, number, time, moved, all, previous }: Unsigned): Buffer =>
  Buffer.from(
    JSON.stringify([
      kind,
      node,
      number,
      time,
      moved.map((s) => [s.account, s.region, s.sequence, s.hash]),
      all,
      previous,
    ]),
  )

export const checkpointHash = (checkpoint: Checkpoint): string =>
  hash('sha256', Buffer.concat([statement(checkpoint), Buffer.from(checkpoint.signature, 'base64')]), 'hex')

const isChainTip = ({ account, region, sequence, hash }: Partial<ChainTip>): boolean =>
  [account, region, hash].every((text) => typeof text === 'string') && typeof sequence === 'number'

/** The database and a witness's file are untrusted input: a writer can put anything there. */
export function isCheckpoint(found: unknown): found is Checkpoint {
  if (typeof found !== 'object' || found === null) return false
  const { kind, node, number, time, moved, all, previous, signature } = found as Partial<Checkpoint>
  return (
    [kind, node, time, all, previous, signature].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(number) &&
    Array.isArray(moved) &&
    moved.every((each) => typeof each === 'object' && each !== null && isChainTip(each))
  )
}

/** `voucher` is DER SPKI, as `Vault.voucher` gives it. */
export function isGenuine(checkpoint: Checkpoint, voucher: Uint8Array): boolean {
  if (!isCheckpoint(checkpoint)) return false
  const spki = { key: Buffer.from(voucher), format: 'der', type: 'spki' } as const
  return verify(null, statement(checkpoint), spki, Buffer.from(checkpoint.signature, 'base64'))
}

export const standing = ({ account, region, sequence, hash }: Head): ChainTip => ({
  account,
  region,
  sequence,
  hash: Buffer.from(hash).toString('hex'),
})

/** Over all chains of one node, in one order. */
export function allHash(heads: readonly Head[]): string {
  const lines = heads.map((head) => `${chainId(head)} ${head.sequence} ${Buffer.from(head.hash).toString('hex')}\n`)
  return hash('sha256', lines.sort().join(''), 'hex')
}

/**
 * `node`'s own, as a rule, or made for one that is gone. undefined when nothing was recorded since the last one.
 * Of several who make the same one at once, one does.
 */
export function makeCheckpoint(
  store: Store,
  vault: Pick<Vault, 'signAsInstallation'>,
  { node, heads, nowMs }: { readonly node: string; readonly heads: readonly Head[]; readonly nowMs: number },
): Promise<Checkpoint | undefined> {
  const own = heads.filter((head) => head.node === node)
  const all = allHash(own)
  return store.run(async (unit) => {
    const previous = await lastCheckpoint(unit, node)
    if (previous ? previous.all === all : own.length === 0) return undefined
    const before = await lastStandings(unit, node)
    // The node is alive after all, and has recorded more.
    if (node !== store.node && own.some((head) => head.sequence < (before.get(chainId(head)) ?? 0))) return undefined
    const unsigned: Unsigned = {
      kind: 'merlon-checkpoint',
      node,
      number: (previous?.number ?? 0) + 1,
      time: isoSeconds(nowMs),
      moved: own.filter((head) => before.get(chainId(head)) !== head.sequence).map(standing),
      all,
      previous: previous ? checkpointHash(previous) : '',
    }
    const signature = Buffer.from(vault.signAsInstallation(statement(unsigned))).toString('base64')
    const checkpoint: Checkpoint = { ...unsigned, signature }
    unit.put(checkpointKey(node, checkpoint.number), checkpoint)
    unit.put(standingsKey(node), { sequences: Object.fromEntries(own.map((h) => [chainId(h), h.sequence])) })
    return checkpoint
  })
}

export async function lastCheckpoint(reader: Store['reader'], node: string): Promise<Checkpoint | undefined> {
  const [last] = await reader.range<Checkpoint>(CHECKPOINTS(node), { reverse: true, limit: 1 })
  return last?.document
}

const standingsKey = (node: string): Key => key('kernel', 'checkpointed', node)

async function lastStandings(reader: Store['reader'], node: string): Promise<ReadonlyMap<string, number>> {
  const row = await reader.get<{ readonly sequences: Readonly<Record<string, number>> }>(standingsKey(node))
  return new Map(Object.entries(row?.sequences ?? {}))
}

/** The place of a checkpoint: of which node, as keys write it, and which one. */
export interface CheckpointId {
  readonly node: string
  readonly number: number
}

/** Identified by its key, which is trusted more than the content of the row. */
export function placeOf(key: Key): CheckpointId {
  const [node = '', number] = key.split('/').slice(-2)
  return { node, number: Number(number) }
}

/** Of each node, in its order, those that follow a number. */
export async function checkpointsBehind(
  { reader }: Pick<Store, 'reader'>,
  numbers: Readonly<Record<string, number>>,
  limit: number,
): Promise<readonly Entry<Checkpoint>[]> {
  const found: Entry<Checkpoint>[] = []
  let last: Key | undefined
  while (found.length < limit) {
    const [first] = await reader.range<Checkpoint>(ALL_CHECKPOINTS, { after: last, limit: 1 })
    if (!first) break
    const { node } = placeOf(first.key)
    const own = `${ALL_CHECKPOINTS}${node}/`
    const after = `${own}${digits(numbers[node] ?? 0)}`
    found.push(...(await reader.range<Checkpoint>(own, { after, limit: limit - found.length })))
    // Behind all of the node's: `0` follows `/`.
    last = `${ALL_CHECKPOINTS}${node}0`
  }
  return found
}

/** Oldest first, all nodes'. */
export async function* checkpoints(store: Store): AsyncGenerator<Entry<Checkpoint>> {
  const page = { limit: 500 }
  let rows = await store.reader.range<Checkpoint>(ALL_CHECKPOINTS, page)
  while (rows.length > 0) {
    yield* rows
    rows = await store.reader.range<Checkpoint>(ALL_CHECKPOINTS, { ...page, after: rows.at(-1)!.key })
  }
}

/** What a witness keeps: a checkpoint a line, perhaps among other lines. A line that ends in the middle counts as none. */
export function readWitness(text: string): readonly Checkpoint[] {
  const found: Checkpoint[] = []
  for (const line of text.split('\n')) {
    const at = line.indexOf('{"kind":"merlon-checkpoint"')
    if (at < 0) continue
    try {
      found.push(JSON.parse(line.slice(at)) as Checkpoint)
    } catch {
      // Incomplete: the process that wrote it crashed.
    }
  }
  return found
}
