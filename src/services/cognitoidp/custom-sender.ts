/**
 * Custom senders: functions that send the messages of a pool in Cognito's place. The code reaches them encrypted, as a message of the AWS
 * Encryption SDK under the pool's KMS key. A durable job calls the function once the code is committed.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sender-triggers.html
 */
import type * as KMS from '@aws-sdk/client-kms'
import { buildClient, KmsKeyring } from '../../encryption-sdk/index.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { ActAs, ServiceCaller } from '../../kernel/gate/service-caller.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import type { Sealed } from '../../vault/sealed-value.ts'
import { Fault } from '../../wire/fault.ts'
import { queueNotification } from './log-queue.ts'
import type { Message } from './messages.ts'
import {
  at,
  type Flow,
  type PoolRow,
  type PoolSettings,
  poolArn,
  poolById,
  SERVICE_PRINCIPAL,
  sealedAt,
} from './resources.ts'
import { invokeFunction, triggerAttributes } from './triggers.ts'
import type { UserRow } from './user-rows.ts'

const kms: Api<typeof KMS> = { id: 'kms' }

/** In documents that wait: never change it. */
export const SEND_BY_FUNCTION = 'cognito-idp.send-by-function'

const MEMBER = { EMAIL: 'CustomEmailSender', SMS: 'CustomSMSSender' } as const
const TYPE = { EMAIL: 'customEmailSenderRequestV1', SMS: 'customSMSSenderRequestV1' } as const

/** The function that sends messages of this kind; undefined where Merlon sends them. */
export const senderOf = ({ settings }: PoolRow, medium: Message['medium']): string | undefined =>
  settings.LambdaConfig?.[MEMBER[medium]]?.LambdaArn

const contextOf = (pool: Pick<PoolRow, 'id'>) => ({ 'userpool-id': pool.id })

/**
 * Lets Cognito encrypt the codes of this pool, and nothing else, under the key of new settings, as the caller, who needs
 * `kms:CreateGrant`. Throws the denial of KMS.
 */
export async function grantSenderKey(
  call: Call,
  pool: Pick<PoolRow, 'id'>,
  before: PoolSettings | undefined,
  after: PoolSettings,
): Promise<void> {
  const KeyId = after.LambdaConfig?.KMSKeyID
  if (KeyId === undefined || KeyId === before?.LambdaConfig?.KMSKeyID) return
  await call.forward(kms, 'CreateGrant', {
    KeyId,
    Name: `cognito-${pool.id}`,
    GranteeServicePrincipal: SERVICE_PRINCIPAL,
    Operations: ['GenerateDataKey'],
    // The message signs itself: its public key is in the context, too.
    Constraints: { EncryptionContextSubset: contextOf(pool) },
  })
}

interface SenderJob {
  readonly account: string
  readonly pool: string
  readonly sub: string
  readonly id: string
  readonly message: Omit<Message, 'code' | 'to'>
  readonly source: string
  readonly sealed: Sealed
}

const placeOf = (pool: PoolRow, id: string) => sealedAt(pool, 'sent-code', `${pool.id}/${id}`)

/** Queues a message for the function, in the transaction of its code. */
export function sendByFunction(call: Flow, pool: PoolRow, user: UserRow, message: Message, event: string): void {
  const { code, to: _to, ...rest } = message
  const id = call.newId()
  const payload: SenderJob = {
    account: pool.account,
    pool: pool.id,
    sub: user.sub,
    id,
    message: rest,
    source: `${MEMBER[message.medium]}_${event}`,
    sealed: call.vault.seal(placeOf(pool, id), Buffer.from(code)),
  }
  scheduleJob(call.unit, {
    id: `${SEND_BY_FUNCTION}/${pool.id}/${id}`,
    kind: SEND_BY_FUNCTION,
    dueAt: call.now,
    payload,
  })
}

/** KMS as the Encryption SDK calls it: for encryption alone. */
function encryptingClient(act: ActAs, acting: ServiceCaller) {
  const refuse = () => Promise.reject(new Error('A sender encrypts under one key.'))
  return {
    generateDataKey: ({ KeyId, NumberOfBytes, EncryptionContext }: KMS.GenerateDataKeyCommandInput) =>
      act(acting, kms, 'GenerateDataKey', { KeyId: KeyId!, NumberOfBytes, EncryptionContext }),
    encrypt: refuse,
    decrypt: refuse,
  }
}

async function encrypted(act: ActAs, pool: PoolRow, code: Buffer): Promise<string> {
  const { account, region } = pool
  const acting = { service: SERVICE_PRINCIPAL, account, region, source: poolArn(pool) }
  const client = encryptingClient(act, acting)
  const keyring = new KmsKeyring({
    generatorKeyId: pool.settings.LambdaConfig?.KMSKeyID ?? '',
    clientProvider: () => client as never,
  })
  const { result } = await buildClient().encrypt(keyring, code, { encryptionContext: contextOf(pool) })
  return result.toString('base64')
}

/** What a function cannot send is not sent again: the user requests another code. The pool's log says why. */
export const senderJob: ServiceJob<SenderJob, string | undefined> = {
  effect: async (work, { pool: poolId, sub, id, message, source, sealed }) => {
    const pool = await poolById(work.reader, poolId)
    const user = pool && (await work.reader.get<UserRow>(at.user(pool.id, sub)))
    const arn = pool && senderOf(pool, message.medium)
    if (!user || arn === undefined) return undefined
    try {
      const code = await encrypted(work.actAs, pool, work.vault.open(placeOf(pool, id), sealed))
      const outcome = await invokeFunction(work, pool, arn, {
        version: '1',
        region: pool.region,
        userPoolId: pool.id,
        userName: user.username,
        callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId: message.clientId },
        triggerSource: source,
        request: {
          type: TYPE[message.medium],
          code,
          clientMetadata: message.clientMetadata ?? {},
          userAttributes: triggerAttributes(user),
        },
        response: {},
      })
      if ('refused' in outcome) return `the function refused: ${outcome.refused}`
      return 'failed' in outcome ? `the function failed: ${outcome.failed}` : undefined
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      return `${error.code}: ${error.message}`
    }
  },
  run: async (unit, { now }, { pool: poolId, id, source }, failure) => {
    const pool = failure === undefined ? undefined : await poolById(unit, poolId)
    if (pool) await queueNotification({ unit, now }, pool, id, `${source}: ${failure}`.slice(0, 1000))
  },
}
