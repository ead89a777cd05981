/**
 * Events of groups with a KMS key: each batch is encrypted under a data key of it. The service acts as
 * `logs.REGION.amazonaws.com` with the ARN of the group as encryption context, so the key's policy decides.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
import type * as KMS from '@aws-sdk/client-kms'
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { Api } from '../../kernel/service/api.ts'
import { openUnder, sealUnder } from '../../vault/envelope.ts'
import { Fault } from '../../wire/fault.ts'
import type { ChunkRow, SealedEvents } from './event-rows.ts'
import { invalid } from './faults.ts'
import { groupArn } from './resources.ts'

const kms: Api<typeof KMS> = { id: 'kms' }

type Events = NonNullable<ChunkRow['events']>

const callerFor = ({ account, region }: Scope, arn: string) => ({
  service: `logs.${region}.amazonaws.com`,
  account,
  region,
  source: arn,
})
const contextOf = (arn: string) => ({ 'aws:logs:arn': arn })

/** A data key under the key: its ciphertext, and the bytes. Throws the refusal of KMS. */
const dataKeyOf = (call: Call, arn: string, KeyId: string) =>
  call.once(() =>
    call.actAs(callerFor(call, arn), kms, 'GenerateDataKey', {
      KeyId,
      KeySpec: 'AES_256',
      EncryptionContext: contextOf(arn),
    }),
  )

/** Throws unless the service may encrypt the events of the group with the key. Returns the key's ARN. */
export async function requireKey(call: Call, group: string, reference: string): Promise<string> {
  const arn = groupArn(call, group)
  if (!/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(reference))
    throw invalid('The specified KMS Key Id is invalid: specify the ARN of a symmetric key.')
  try {
    const { KeyId, Plaintext } = await dataKeyOf(call, arn, reference)
    Plaintext?.fill(0)
    return KeyId!
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw invalid(
      `The specified KMS key does not exist or is not allowed to be used with Arn '${arn}': ${error.message || error.code}`,
    )
  }
}

/** Encrypts the chunks of one batch. Throws where the key cannot be used any more. */
export async function sealerFor(
  call: Call,
  group: string,
  keyArn: string,
): Promise<(chunk: string, events: Events) => SealedEvents> {
  const arn = groupArn(call, group)
  const { CiphertextBlob, Plaintext } = await dataKeyOf(call, arn, keyArn).catch(asUnusable)
  const dataKey = Buffer.from(CiphertextBlob!).toString('base64')
  // Each use wipes the key that it gets.
  return (chunk, events) => ({
    dataKey,
    value: sealUnder(Uint8Array.from(Plaintext!), [arn, chunk], Buffer.from(JSON.stringify(events))),
  })
}

/** Decrypts chunks: one call of KMS for each batch that they are of. */
export class Unsealer {
  readonly #call: Call
  readonly #arn: string
  readonly #keys = new Map<string, Promise<Uint8Array>>()

  constructor(call: Call, group: string) {
    this.#call = call
    this.#arn = groupArn(call, group)
  }

  async events(chunk: string, { events, sealed, streamId }: ChunkRow): Promise<Events> {
    if (!sealed) return events ?? []
    const key = await this.#keyOf(sealed.dataKey)
    const bytes = openUnder(Uint8Array.from(key), [this.#arn, chunk], sealed.value)
    if (bytes) return JSON.parse(bytes.toString('utf8'))
    const place = { table: 'logs/events', column: 'sealed', key: `${streamId}/${chunk}`, account: this.#call.account }
    throw this.#call.vault.reportTampering(place)
  }

  /** To be called when all is read: wipes the keys. */
  async close(): Promise<void> {
    for (const key of this.#keys.values()) (await key.catch(() => undefined))?.fill(0)
    this.#keys.clear()
  }

  #keyOf(dataKey: string): Promise<Uint8Array> {
    const known = this.#keys.get(dataKey)
    if (known) return known
    const call = this.#call
    const key = call
      .actAs(callerFor(call, this.#arn), kms, 'Decrypt', {
        CiphertextBlob: Buffer.from(dataKey, 'base64'),
        EncryptionContext: contextOf(this.#arn),
      })
      .then(({ Plaintext }) => Plaintext!)
      .catch(asUnusable)
    this.#keys.set(dataKey, key)
    return key
  }
}

function asUnusable(error: unknown): never {
  if (!(error instanceof Fault)) throw error
  throw invalid(`The KMS key of the log group cannot be used: ${error.message || error.code}`)
}
