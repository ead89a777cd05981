/**
 * The keys that sign digests: made when a digest needs one, never out of the vault, valid for a year.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PublicKey.html
 */
import { createHash, createPublicKey, randomUUID } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { MaterialContext, Materials, StoredMaterial } from '../../vault/material/materials.ts'
import { at, cloudtrail } from './resources.ts'

const DAY_MS = 86_400_000
/** What a digest covers. */
const DIGEST_MS = 3_600_000
const VALID_MS = 365 * DAY_MS
const SPEC = 'RSA_2048'
const PAGE = 100

export interface DigestKey {
  /** As digests and clients name it. */
  readonly fingerprint: string
  /** Epoch milliseconds. */
  readonly from: number
  readonly until: number
  /** PKCS #1, DER, in base64. */
  readonly publicKey: string
  readonly held: StoredMaterial
}

export const keysOf = async (reader: Reader, account: string, region: string): Promise<readonly DigestKey[]> =>
  (await reader.range<DigestKey>(at.digestKeys(account, region))).map(({ document }) => document)

/** The key in force; undefined when a new one is due. */
export const keyInForce = (keys: readonly DigestKey[], now: number): DigestKey | undefined =>
  keys.filter(({ from, until }) => from <= now && now < until).sort((a, b) => b.from - a.from)[0]

export async function makeKey(
  materials: Materials,
  owner: { readonly account: string; readonly region: string; readonly from: number },
): Promise<DigestKey> {
  const { account, region, from } = owner
  const name = randomUUID()
  const home: MaterialContext = { table: 'cloudtrail/digest-key', key: name, column: region, account, name }
  const made = await materials.generate(home, SPEC)
  const der = createPublicKey({ key: made.publicKey!, format: 'der', type: 'spki' }).export({
    format: 'der',
    type: 'pkcs1',
  })
  return {
    fingerprint: createHash('md5').update(der).digest('hex'),
    from,
    until: from + VALID_MS,
    publicKey: der.toString('base64'),
    held: { home, spec: SPEC, id: made.id, sealed: made.sealed },
  }
}

/** Lower-case hexadecimal, as digests carry it. */
export async function sign(materials: Materials, key: DigestKey, text: string): Promise<string> {
  const operation = { do: 'sign', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', type: 'RAW' } as const
  return (await materials.use(key.held, { ...operation, message: Buffer.from(text) })).toString('hex')
}

/** Validation begins before the first digest: a key is there from the first time that keys are listed. */
async function keysFor(call: Call): Promise<readonly DigestKey[]> {
  const { account, region, now, unit, vault } = call
  const keys = await keysOf(unit, account, region)
  if (keyInForce(keys, now)) return keys
  const key = await makeKey(vault.materials, { account, region, from: now - DIGEST_MS })
  unit.put(at.digestKey(account, region, key.fingerprint), key)
  return [...keys, key]
}

/** Those that may have signed within the time; where none is said, the one in force now. */
export const listPublicKeys = cloudtrail
  .operation('ListPublicKeys')
  .on(anything)
  .run(async (call, { StartTime, EndTime, NextToken }) => {
    const from = StartTime?.getTime() ?? EndTime?.getTime() ?? call.now
    const to = EndTime?.getTime() ?? call.now
    if (from > to)
      throw cloudtrail.fail('InvalidTimeRangeException', 'The start time must not be later than the end time.')
    const keys = (await keysFor(call)).filter((key) => key.from <= to && from < key.until)
    const { items, next } = await pageOf(
      call,
      keys,
      (key) => `${String(key.from).padStart(15, '0')} ${key.fingerprint}`,
      {
        token: NextToken,
        size: PAGE,
        query: [StartTime, EndTime],
        bad: () => cloudtrail.fail('InvalidTokenException', 'The token is not valid.'),
      },
    )
    return {
      PublicKeyList: items.map((key) => ({
        Value: Buffer.from(key.publicKey, 'base64'),
        ValidityStartTime: new Date(key.from),
        ValidityEndTime: new Date(key.until),
        Fingerprint: key.fingerprint,
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })
