/** AWS's own managed policies, read on first use: 1,594 of them, compressed at build time (`npm run build`). */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { parseArn } from '../../../kernel/resource/arn.ts'
import { installedFile } from '../../../wire/installed-file.ts'
import type { ManagedPolicyRow } from './policies.ts'

const FILE = 'aws-managed-policies.br'

/** A row of the file's first line, as `tools/build-managed-policies.mjs` writes it: the version that is in force. */
interface Packed {
  readonly arn: string
  readonly version: string
  readonly createdAt: number
  readonly updatedAt: number
  /** Of its document, in bytes from the second line on. */
  readonly offset: number
  readonly length: number
}

type Policies = ReadonlyMap<string, () => ManagedPolicyRow>
let loading: Promise<Policies> | undefined

const policies = (): Promise<Policies> => (loading ??= load())

export async function awsPolicy(arn: string): Promise<ManagedPolicyRow | undefined> {
  return (await policies()).get(arn)?.()
}

/** ARN and row of each, by ARN. */
export async function awsPolicies(): Promise<readonly (readonly [string, ManagedPolicyRow])[]> {
  return [...(await policies())].map(([arn, row]) => [arn, row()] as const)
}

async function load(): Promise<Policies> {
  const file = installedFile(FILE)
  if (!file) throw new Error(`${FILE} is missing: run 'npm run build'`)
  const bytes = await promisify(brotliDecompress)(await readFile(file))
  const documentsAt = bytes.indexOf('\n') + 1
  const index: readonly Packed[] = JSON.parse(bytes.toString('utf8', 0, documentsAt))
  const documents = bytes.subarray(documentsAt)
  return new Map(index.map((policy) => [policy.arn, madeOnce(policy, documents)]))
}

/** Most are never looked at, and a start waits for the first one that is attached. */
function madeOnce(policy: Packed, documents: Buffer): () => ManagedPolicyRow {
  let row: ManagedPolicyRow | undefined
  return () => (row ??= rowOf(policy, documents))
}

function rowOf({ arn, version, createdAt, updatedAt, offset, length }: Packed, documents: Buffer): ManagedPolicyRow {
  const document: object = JSON.parse(documents.toString('utf8', offset, offset + length))
  const path = parseArn(arn)!.resource.slice('policy'.length)
  const slash = path.lastIndexOf('/')
  return {
    name: path.slice(slash + 1),
    path: path.slice(0, slash + 1),
    id: idOf(arn),
    createdAt,
    updatedAt,
    versions: [{ id: version, text: JSON.stringify(document, undefined, 4), createdAt: updatedAt }],
    defaultVersion: version,
    nextVersion: Number(version.slice(1)) + 1,
    aws: true,
  }
}

/** The data holds no ids: ours are made of the ARN, so that they are the same everywhere. */
function idOf(arn: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const digest = createHash('sha256').update(arn).digest()
  return `ANPA${[...digest.subarray(0, 17)].map((byte) => alphabet[byte & 31]).join('')}`
}
