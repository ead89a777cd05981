/**
 * The chain of the event log: every record carries a hash over itself and the record before it, and a MAC over that hash
 * under a key that lasts for one epoch. There is one chain per account, Region and node.
 */
import { createHmac, hash } from 'node:crypto'
import type { LogRecord } from './store.ts'

/** A record on its way to the log: its attributes as JSON, for texts are cheaper to hand to a thread than lists. */
export type WrittenRecord = Omit<LogRecord, 'attributes'> & { readonly attributes: string }

export interface ChainName {
  readonly account: string
  readonly region: string
  /** The node that wrote it: nodes number their records independently. */
  readonly node: string
}

/** What a record carries of its chain. */
export interface Link {
  /** From 1, without gaps. */
  readonly sequence: number
  /** SHA-256, 32 bytes. */
  readonly hash: Uint8Array
  /** Which key the MAC was made with; -1 and no MAC while the store had none. */
  readonly epoch: number
  /** HMAC-SHA-256 over the hash. */
  readonly mac: Uint8Array | null
}

/** The last link of a chain. */
export type Head = ChainName & Link

/** 32 bytes for one epoch; the key of another epoch cannot be derived from it. */
export interface EpochKey {
  readonly epoch: number
  readonly key: Uint8Array
}

/** A record as its row holds it: what the hash is taken over. */
export interface Chained extends ChainName {
  readonly id: string
  readonly timeMs: number
  /** JSON. */
  readonly attributes: string
  readonly body: string
}

export const chainId = ({ account, region, node }: ChainName): string => `${account} ${region} ${node}`

/** h(n) = SHA-256(h(n-1) ‖ n ‖ the record), every text with its length; h(0) is nothing. */
export function linkHash(previous: Pick<Link, 'sequence' | 'hash'> | undefined, record: Chained): Uint8Array {
  const { account, region, node, id, timeMs, attributes, body } = record
  const before = previous ? Buffer.from(previous.hash).toString('hex') : ''
  const numbered = `${measured(String((previous?.sequence ?? 0) + 1))}${measured(id)}${measured(String(timeMs))}`
  const chain = `${measured(account)}${measured(region)}${measured(node)}`
  return hash('sha256', `${before}${chain}${numbered}${measured(attributes)}${measured(body)}`, 'buffer')
}

const measured = (text: string): string => `${Buffer.byteLength(text)}:${text}`

export function linkMac(key: Uint8Array, linkHash: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(linkHash).digest()
}

/** The heads of one node's chains, in memory; the log writer links its records here. */
export class Chains {
  readonly #node: string
  readonly #heads = new Map<string, Head>()
  #key: EpochKey | undefined

  constructor(node: string, heads: readonly Head[]) {
    this.#node = node
    this.follow(heads.filter((head) => head.node === node))
  }

  /** MACs of records to come. */
  authenticate(key: EpochKey): void {
    this.#key = key
  }

  /** The chains go on from these. */
  follow(heads: readonly Head[]): void {
    for (const head of heads) this.#heads.set(chainId(head), head)
  }

  /** Links records in their order. They count once their heads are followed: a batch that failed never was. */
  link(records: readonly WrittenRecord[]): {
    readonly rows: readonly (Chained & Link)[]
    readonly heads: readonly Head[]
  } {
    const moved = new Map<string, Chained & Link>()
    const rows: (Chained & Link)[] = []
    for (const record of records) {
      const id = chainId({ account: record.account, region: record.region, node: this.#node })
      const row = this.#linked(moved.get(id) ?? this.#heads.get(id), record)
      moved.set(id, row)
      rows.push(row)
    }
    return { rows, heads: Array.from(moved.values(), headOf) }
  }

  /** All rows are of one form: V8 makes and reads such objects several times as fast as those put together by spreads. */
  #linked(previous: Link | undefined, record: WrittenRecord): Chained & Link {
    const row = {
      account: record.account,
      region: record.region,
      node: this.#node,
      id: record.id,
      timeMs: record.timeMs,
      attributes: record.attributes,
      body: record.body,
      sequence: (previous?.sequence ?? 0) + 1,
      hash: NOTHING,
      epoch: this.#key?.epoch ?? -1,
      mac: null as Uint8Array | null,
    }
    row.hash = linkHash(previous, row)
    if (this.#key) row.mac = linkMac(this.#key.key, row.hash)
    return row
  }
}

const NOTHING: Uint8Array = Buffer.alloc(0)

function headOf({ account, region, node, sequence, hash, epoch, mac }: Head): Head {
  return { account, region, node, sequence, hash, epoch, mac }
}
