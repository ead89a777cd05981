/**
 * The values of secrets: each under a data key of its own, which KMS generates and decrypts with the caller's
 * permissions.
 */
import type * as KMS from '@aws-sdk/client-kms'
import type { Call } from '../../kernel/gate/call.ts'
import { arnIn } from '../../kernel/resource/arn.ts'
import type { Api } from '../../kernel/service/api.ts'
import { openUnder, sealUnder } from '../../vault/envelope.ts'
import { Fault } from '../../wire/fault.ts'
import { DEFAULT_KEY } from './conditions.ts'
import { refusals } from './messages.ts'
import { type Secret, type SecretRow, secrets, secretsmanager, type ValueRow } from './resources.ts'

const kms: Api<typeof KMS> = { id: 'kms' }
const PLACE = { table: 'secretsmanager/value', column: 'sealed' } as const

/** Exactly one of the two, as the API has it. */
export type Value = { readonly SecretString: string } | { readonly SecretBinary: Uint8Array }

export interface GivenValue {
  readonly SecretString?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
}

/** undefined when the input has neither. */
export function givenValue({ SecretString, SecretBinary }: GivenValue): Value | undefined {
  if (SecretString !== undefined && SecretBinary !== undefined) {
    throw secretsmanager.fail('InvalidParameterException', "You can't specify both SecretString and SecretBinary.")
  }
  if (SecretString !== undefined) return { SecretString }
  return SecretBinary === undefined ? undefined : { SecretBinary }
}

const bytesOf = (value: Value) =>
  'SecretString' in value ? Buffer.from(value.SecretString, 'utf8') : Buffer.from(value.SecretBinary)

/** Saves the value and returns the ARN of the KMS key it is under. */
export async function saveValue(call: Call, secret: Secret, version: string, value: Value): Promise<string> {
  const { arn, row, scope } = secret
  const bytes = bytesOf(value)
  if (bytes.length > 65_536) {
    throw secretsmanager.fail('InvalidParameterException', 'The secret value is longer than 65536 bytes.')
  }
  const { CiphertextBlob, Plaintext, KeyId } = await kmsCall('EncryptionFailure', () =>
    call.forward(
      kms,
      'GenerateDataKey',
      { KeyId: keyFor(call, secret), KeySpec: 'AES_256', EncryptionContext: context(arn, version) },
      scope.region,
    ),
  )
  secrets.saveValue(call, scope, row, version, {
    kind: 'SecretString' in value ? 'string' : 'binary',
    dataKey: Buffer.from(CiphertextBlob!).toString('base64'),
    sealed: sealUnder(Plaintext!, [arn, version], bytes),
  } satisfies ValueRow)
  bytes.fill(0)
  return KeyId!
}

/** undefined when the version has none. */
export async function readValue(call: Call, secret: Secret, version: string): Promise<Value | undefined> {
  const { arn, row, scope } = secret
  const stored = await secrets.value(call, scope, row, version)
  if (!stored) return undefined
  if (scope.account !== call.account) keyFor(call, secret)
  // What KMS gave for this place opens there, unless it was moved or changed since.
  const refuse = () => call.vault.reportTampering({ ...PLACE, key: arn, account: scope.account, version })
  const { Plaintext } = await kmsCall('DecryptionFailure', () =>
    call
      .forward(
        kms,
        'Decrypt',
        { CiphertextBlob: Buffer.from(stored.dataKey, 'base64'), EncryptionContext: context(arn, version) },
        scope.region,
      )
      .catch((error: unknown) => {
        if (error instanceof Fault && error.code === 'InvalidCiphertextException') refuse()
        throw error
      }),
  )
  const bytes = openUnder(Plaintext!, [arn, version], stored.sealed)
  if (!bytes) throw refuse()
  if (stored.kind !== 'string') return { SecretBinary: bytes }
  const SecretString = bytes.toString('utf8')
  bytes.fill(0)
  return { SecretString }
}

export async function sameValue(call: Call, secret: Secret, version: string, value: Value): Promise<boolean> {
  const held = await readValue(call, secret, version)
  return (
    held !== undefined && 'SecretString' in held === 'SecretString' in value && bytesOf(held).equals(bytesOf(value))
  )
}

/** Moves a version under another key. */
export async function resealed(call: Call, from: Secret, to: Secret, version: string): Promise<string | undefined> {
  const value = await readValue(call, from, version)
  return value && saveValue(call, to, version, value)
}

const context = (SecretARN: string, SecretVersionId: string) => ({ SecretARN, SecretVersionId })

/** Another account cannot use the account's own key, so a secret under it cannot be shared. */
function keyFor(call: Call, { row, scope }: Secret): string {
  if (scope.account !== call.account && isDefault(row)) {
    throw refusals.foreignDefaultKey()
  }
  const named = row.kmsKeyId ?? DEFAULT_KEY
  if (scope.account === call.account || named.startsWith('arn:')) return named
  // A bare name is of the secret's account: the caller's own may hold a key by the same one.
  return arnIn(scope, 'kms', named.startsWith('alias/') ? named : `key/${named}`)
}

const isDefault = ({ kmsKeyId = DEFAULT_KEY }: SecretRow) => kmsKeyId.endsWith(DEFAULT_KEY)

/** KMS's answers to what is no key for secrets, in whatever state it is. */
const NO_KEY: ReadonlySet<string> = new Set([
  'NotFoundException',
  'InvalidArnException',
  'InvalidKeyUsageException',
  'UnsupportedOperationException',
])

/** KMS's refusals, as Secrets Manager returns them. */
async function kmsCall<T>(failure: 'EncryptionFailure' | 'DecryptionFailure', call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (/^AccessDenied/.test(error.code)) {
      throw new Fault('AccessDeniedException', 'Access to KMS is not allowed', { status: 400, cause: error })
    }
    if (error.code === 'NotImplemented' || error.code === 'KMSInternalException') throw error
    if (failure === 'EncryptionFailure' && NO_KEY.has(error.code)) throw refusals.key(error.message)
    throw secretsmanager.fail(failure, `Secrets Manager can't use the KMS key: ${error.message || error.code}`)
  }
}
