/**
 * Where a key store keeps branch keys, encrypted by KMS: a small interface, and storages in memory, in a file and in a
 * DynamoDB table. A record has the attributes of the tables that the official key stores use, so that they can be shared.
 */
import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Partition key `branch-key-id`, sort key `type` (`branch:ACTIVE`, `branch:version:UUID` or `beacon:ACTIVE`), `version`
 * (with `branch:ACTIVE` only), `enc` (binary), `kms-arn`, `create-time`, `hierarchy-version` (a number), and the encryption
 * context of the branch key under `aws-crypto-ec:KEY`.
 */
export interface BranchKeyRecord extends BranchKeyAttributes {
  readonly enc: Uint8Array
}

/** What is bound to the key: all of a record but the key itself. */
export interface BranchKeyAttributes {
  readonly 'branch-key-id': string
  readonly type: string
  readonly 'kms-arn': string
  readonly 'create-time': string
  readonly 'hierarchy-version': number
  readonly [attribute: string]: string | number | Uint8Array
}

export interface BranchKeyWrite {
  readonly put: BranchKeyRecord
  /** What must be there: nothing, or a record with this `enc`. */
  readonly expected: 'absent' | Uint8Array
}

export interface BranchKeyStorage {
  get(branchKeyId: string, type: string): Promise<BranchKeyRecord | undefined>
  /** All writes or none. Throws when one expectation does not hold. */
  write(writes: readonly BranchKeyWrite[]): Promise<void>
}

const keyOf = (branchKeyId: string, type: string) => JSON.stringify([branchKeyId, type])

/** For tests, and for processes that share nothing. */
export function memoryStorage(records = new Map<string, BranchKeyRecord>()): BranchKeyStorage {
  return {
    get: async (branchKeyId, type) => records.get(keyOf(branchKeyId, type)),
    write: async (writes) => {
      for (const write of writes) assertExpected(records, write)
      for (const { put } of writes) records.set(keyOf(put['branch-key-id'], put.type), put)
    },
  }
}

/** One JSON file, replaced as a whole. For one writing process at a time. */
export function fileStorage(file: string): BranchKeyStorage {
  let last: Promise<unknown> = Promise.resolve()
  const read = async () =>
    new Map<string, BranchKeyRecord>(
      (await readRecords(file)).map((record) => [keyOf(record['branch-key-id'], record.type), record]),
    )
  return {
    get: async (branchKeyId, type) => (await read()).get(keyOf(branchKeyId, type)),
    write: (writes) => {
      const next = last.then(async () => {
        const records = await read()
        await memoryStorage(records).write(writes)
        await replaceFile(
          file,
          JSON.stringify(
            [...records.values()].map((record) => ({ ...record, enc: Buffer.from(record.enc).toString('base64') })),
          ),
        )
      })
      last = next.catch(() => undefined)
      return next
    },
  }
}

async function readRecords(file: string): Promise<BranchKeyRecord[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return (JSON.parse(text) as (BranchKeyRecord & { enc: string })[]).map((record) => ({
    ...record,
    enc: Buffer.from(record.enc, 'base64'),
  }))
}

async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = join(dirname(file), `.branch-keys-${randomUUID()}.tmp`)
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

type AttributeValue = { S: string } | { N: string } | { B: Uint8Array }
type Item = Record<string, AttributeValue>

/** What is called of DynamoDB; the client `DynamoDB` of `@aws-sdk/client-dynamodb` has these methods. */
export interface DynamoDbClient {
  getItem(input: {
    TableName: string
    Key: Item
    ConsistentRead: boolean
  }): Promise<{ Item?: Record<string, unknown> | undefined }>
  transactWriteItems(input: {
    TransactItems: {
      Put: {
        TableName: string
        Item: Item
        ConditionExpression: string
        ExpressionAttributeNames?: Record<string, string>
        ExpressionAttributeValues?: Item
      }
    }[]
  }): Promise<unknown>
}

/** A DynamoDB table with the partition key `branch-key-id` and the sort key `type`, both strings. */
export function dynamoDbStorage(client: DynamoDbClient, tableName: string): BranchKeyStorage {
  return {
    get: async (branchKeyId, type) => {
      const Key = { 'branch-key-id': { S: branchKeyId }, type: { S: type } }
      const { Item } = await client.getItem({ TableName: tableName, Key, ConsistentRead: true })
      return (
        Item &&
        (Object.fromEntries(
          Object.entries(Item).map(([name, value]) => [name, jsValueOf(value as AttributeValue)]),
        ) as unknown as BranchKeyRecord)
      )
    },
    write: async (writes) => {
      const TransactItems = writes.map(({ put, expected }) => ({
        Put: {
          TableName: tableName,
          Item: Object.fromEntries(Object.entries(put).map(([name, value]) => [name, attributeOf(value)])),
          ...(expected === 'absent'
            ? { ConditionExpression: 'attribute_not_exists(#type)', ExpressionAttributeNames: { '#type': 'type' } }
            : { ConditionExpression: 'enc = :enc', ExpressionAttributeValues: { ':enc': { B: expected } } }),
        },
      }))
      await client.transactWriteItems({ TransactItems })
    },
  }
}

function jsValueOf(value: AttributeValue): string | number | Uint8Array {
  if ('S' in value) return value.S
  return 'N' in value ? Number(value.N) : value.B
}

function attributeOf(value: string | number | Uint8Array): AttributeValue {
  if (typeof value === 'string') return { S: value }
  return typeof value === 'number' ? { N: String(value) } : { B: value }
}

function assertExpected(records: ReadonlyMap<string, BranchKeyRecord>, { put, expected }: BranchKeyWrite): void {
  const found = records.get(keyOf(put['branch-key-id'], put.type))
  const holds =
    expected === 'absent' ? found === undefined : found !== undefined && Buffer.from(found.enc).equals(expected)
  if (!holds) throw new Error(`The branch key ${put['branch-key-id']} was changed meanwhile, or exists already.`)
}
