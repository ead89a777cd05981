/** The identity of the caller, and what a key ID or an encoded denial contains. */
import { anything } from '../../kernel/resource/target.ts'
import { accountOfAccessKey } from '../../kernel/service/id.ts'
import { Fault } from '../../wire/fault.ts'
import { sts } from './words.ts'

export const getCallerIdentity = sts
  .operation('GetCallerIdentity')
  .withoutPermission('AWS documents that no permission is required: a denial would name the same identity')
  .run(({ caller: { principal } }) => {
    if (principal.kind === 'anonymous' || principal.kind === 'service') {
      throw new Fault('AccessDenied', 'Only principals of an account have an identity to show.')
    }
    return { UserId: principal.userId, Account: principal.account, Arn: principal.arn }
  })

/** Answers for keys that were deleted, too: the account is in the id. Keys with ids of their own making must still exist. */
export const getAccessKeyInfo = sts
  .operation('GetAccessKeyInfo')
  .on(anything)
  .run(async (call, { AccessKeyId }) => {
    const account = accountOfAccessKey(AccessKeyId) ?? (await call.ports.identity.accessKey(AccessKeyId))?.account
    if (account === undefined) throw new Fault('ValidationError', `Invalid Access Key: ${AccessKeyId}`)
    return { Account: account }
  })

export const decodeAuthorizationMessage = sts
  .operation('DecodeAuthorizationMessage')
  .on(anything)
  .run((call, { EncodedMessage }) => {
    const message = call.vault.redeem('authorization-message', call.account, EncodedMessage)
    if (!message) throw sts.fail('InvalidAuthorizationMessageException', 'Message is not valid')
    return { DecodedMessage: message.toString('utf8') }
  })
