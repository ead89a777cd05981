/**
 * Changes: every answer to a change names one, and `GetChange` returns whether it is in effect. The ID carries its time
 * and is authenticated, so that no row is kept for it.
 */
import type { ChangeInfo } from '@aws-sdk/client-route-53'
import type { Call } from '../../kernel/gate/call.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { lengths } from '../../vault/aead.ts'
import { route53 } from './resources.ts'

const TIME_DIGITS = 9
const MAC_DIGITS = 20
const ID = /^(?:\/change\/)?C([0-9A-Z]{9})([0-9A-F]{20})$/

const macOf = ({ vault, account }: Pick<Call, 'vault' | 'account'>, time: string): string =>
  vault
    .mac('paging-token', lengths('route53/change', account, time))
    .toString('hex')
    .slice(0, MAC_DIGITS)
    .toUpperCase()

/** As the operation that made the change reports it. */
export function submitted(call: Call, Comment?: string): ChangeInfo {
  const time = call.now.toString(36).toUpperCase().padStart(TIME_DIGITS, '0')
  return {
    Id: `/change/C${time}${macOf(call, time)}`,
    Status: 'PENDING',
    SubmittedAt: new Date(call.now),
    ...(Comment !== undefined && { Comment }),
  }
}

const change: Target<{ readonly Id: string }, { readonly submittedAt: number }> = {
  find: (call, { Id }) => {
    const [, time = '', mac] = ID.exec(Id) ?? []
    const arn = `arn:${call.partition}:route53:::change/${Id.replace(/^\/change\//, '')}`
    return {
      acted: { arn, type: 'AWS::Route53::Change', account: call.account },
      row: time !== '' && mac === macOf(call, time) ? { submittedAt: Number.parseInt(time, 36) } : undefined,
      missing: () => route53.fail('NoSuchChange', `Could not find resource with ID: ${Id}`),
    }
  },
}

/**
 * A change is committed before it is answered, and resolvers follow commits: a change that can be queried is in effect.
 */
export const getChange = route53
  .operation('GetChange')
  .on(change)
  .run((_call, { Id }, { submittedAt }) => ({
    ChangeInfo: {
      Id: `/change/${Id.replace(/^\/change\//, '')}`,
      Status: 'INSYNC',
      SubmittedAt: new Date(submittedAt),
    },
  }))
