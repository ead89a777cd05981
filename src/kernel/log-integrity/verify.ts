/** Checks the log against itself, against its keys, and against its checkpoints, here and with witnesses. */
import { chainId, type EpochKey, linkHash, linkMac } from '../../store/chain.ts'
import type { EvidenceRow, Store } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import {
  type ChainTip,
  type Checkpoint,
  checkpointHash,
  checkpoints,
  isCheckpoint,
  isGenuine,
  placeOf,
} from './checkpoint.ts'

/** Something that is not as it was written. */
export interface Finding {
  /** `account Region node` */
  readonly chain: string
  /** The first record, or checkpoint, that is wrong or missing. */
  readonly sequence: number
  readonly what: string
}

export interface VerificationResult {
  readonly records: number
  readonly chains: number
  readonly checkpoints: number
  readonly witnessed: number
  readonly findings: readonly Finding[]
}

const PORTION = 500

interface Followed {
  readonly sequence: number
  readonly hash: Uint8Array
  /** The last record whose MAC was right. */
  readonly proven: number
}

/** What one chain has to be at some of its records. */
type Expected = Map<string, Map<number, { readonly hash: string; readonly by: string }>>

/** `witnessed`: checkpoints as a witness kept them. Reads the log in portions; calls go on meanwhile. */
export async function verifyLog(
  store: Store,
  vault: Pick<Vault, 'chainKey' | 'installationPublicKey'>,
  witnessed: readonly Checkpoint[] = [],
): Promise<VerificationResult> {
  const findings = new Findings()
  const expected: Expected = new Map()
  const own = await readCheckpoints(store, vault, findings, expected)
  for (const checkpoint of witnessed) readWitnessed(checkpoint, own, vault, findings, expected)
  for (const head of await store.heads()) {
    expect(expected, chainId(head), head.sequence, Buffer.from(head.hash).toString('hex'), 'its own last record')
  }

  const followed = new Map<string, Followed>()
  const keys = new Keys(vault)
  let records = 0
  for (let after = 0; ; ) {
    const rows = await store.evidence(after, PORTION)
    for (const row of rows) follow(row, followed, keys, findings, expected)
    records += rows.length
    if (rows.length < PORTION) break
    after = rows.at(-1)!.position
    await new Promise((resolve) => setImmediate(resolve))
  }
  keys.wipe()

  for (const [chain, { sequence, proven }] of followed) {
    if (proven < sequence) findings.add(chain, proven + 1, 'nothing vouches for the end of the chain')
  }
  for (const [chain, points] of expected) {
    const last = followed.get(chain)?.sequence ?? 0
    const missing = [...points.keys()].filter((sequence) => sequence > last).sort((a, b) => a - b)[0]
    if (missing === undefined) continue
    const { by } = points.get(missing)!
    findings.add(chain, last + 1, `missing: ${by} has ${missing} records, and there are ${last}`)
  }
  return {
    records,
    chains: followed.size,
    checkpoints: own.size,
    witnessed: witnessed.length,
    findings: findings.list(),
  }
}

function follow(
  row: EvidenceRow,
  followed: Map<string, Followed>,
  keys: Keys,
  findings: Findings,
  expected: Expected,
): void {
  const chain = chainId(row)
  const before = followed.get(chain)
  const next = (before?.sequence ?? 0) + 1
  const stored = Buffer.from(row.hash ?? [])
  if (row.sequence !== next) findings.add(chain, next, `expected here, and record ${row.sequence} is here`)
  else if (!stored.equals(linkHash(before, row))) findings.add(chain, row.sequence, 'is not what was written')
  const authentic = row.mac !== null && Buffer.from(linkMac(keys.of(row.node, row.epoch), stored)).equals(row.mac)
  if (row.mac !== null && !authentic) findings.add(chain, row.sequence, 'its MAC is not ours')
  const point = expected.get(chain)?.get(row.sequence)
  if (point && point.hash !== stored.toString('hex')) {
    findings.add(chain, row.sequence, `is not what ${point.by} has`)
  }
  const proven = authentic ? row.sequence : (before?.proven ?? 0)
  followed.set(chain, { sequence: row.sequence, hash: stored, proven })
}

async function readCheckpoints(
  store: Store,
  vault: Pick<Vault, 'installationPublicKey'>,
  findings: Findings,
  expected: Expected,
): Promise<ReadonlyMap<string, string>> {
  const own = new Map<string, string>()
  const before = new Map<string, Checkpoint>()
  const voucher = vault.installationPublicKey()
  for await (const { key, document: checkpoint } of checkpoints(store)) {
    if (!isCheckpoint(checkpoint)) {
      const { node, number } = placeOf(key)
      findings.add(`checkpoints ${node}`, number, 'is no checkpoint')
      continue
    }
    const { node, number } = checkpoint
    const previous = before.get(node)
    const chain = `checkpoints ${node}`
    if (number !== (previous?.number ?? 0) + 1) findings.add(chain, (previous?.number ?? 0) + 1, 'missing')
    else if (checkpoint.previous !== (previous ? checkpointHash(previous) : ''))
      findings.add(chain, number, 'does not follow the one before')
    if (!isGenuine(checkpoint, voucher)) findings.add(chain, number, 'its signature is not ours')
    else for (const at of checkpoint.moved) expectStanding(expected, node, at, `checkpoint ${number}`)
    own.set(`${node} ${number}`, checkpointHash(checkpoint))
    before.set(node, checkpoint)
  }
  return own
}

function readWitnessed(
  checkpoint: Checkpoint,
  own: ReadonlyMap<string, string>,
  vault: Pick<Vault, 'installationPublicKey'>,
  findings: Findings,
  expected: Expected,
): void {
  const { node, number } = checkpoint
  const chain = `checkpoints ${node}`
  if (!isGenuine(checkpoint, vault.installationPublicKey())) {
    findings.add(chain, number, "the witness's copy carries a signature that is not ours")
    return
  }
  const here = own.get(`${node} ${number}`)
  if (here === undefined) findings.add(chain, number, 'a witness has it, and it is missing here')
  else if (here !== checkpointHash(checkpoint)) findings.add(chain, number, 'a witness has another one')
  for (const at of checkpoint.moved) expectStanding(expected, node, at, `the witness's checkpoint ${number}`)
}

const expectStanding = (expected: Expected, node: string, { account, region, sequence, hash }: ChainTip, by: string) =>
  expect(expected, chainId({ account, region, node }), sequence, hash, by)

/**
 * The first record of a value is trusted: a contradiction is reported at the record that shows it, whichever of the two
 * is wrong.
 */
function expect(expected: Expected, chain: string, sequence: number, hash: string, by: string): void {
  const points = expected.get(chain) ?? new Map()
  expected.set(chain, points)
  if (!points.has(sequence)) points.set(sequence, { hash, by })
}

/** The first finding of each chain: what comes behind it follows from it. */
class Findings {
  readonly #first = new Map<string, Finding>()
  add(chain: string, sequence: number, what: string): void {
    const known = this.#first.get(chain)
    if (!known || sequence < known.sequence) this.#first.set(chain, { chain, sequence, what })
  }
  list(): readonly Finding[] {
    return [...this.#first.values()]
  }
}

/** One epoch's key at a time for each node. */
class Keys {
  readonly #vault: Pick<Vault, 'chainKey'>
  readonly #held = new Map<string, EpochKey>()
  constructor(vault: Pick<Vault, 'chainKey'>) {
    this.#vault = vault
  }
  of(node: string, epoch: number): Uint8Array {
    const held = this.#held.get(node)
    if (held?.epoch === epoch) return held.key
    held?.key.fill(0)
    const key = this.#vault.chainKey(node, epoch)
    this.#held.set(node, { epoch, key })
    return key
  }
  wipe(): void {
    for (const { key } of this.#held.values()) key.fill(0)
  }
}
