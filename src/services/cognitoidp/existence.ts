/** The response about users that do not exist: the truth, or the same as for any other user. */
import type { CodeDeliveryDetailsType } from '@aws-sdk/client-cognito-identity-provider'
import { mailbox } from '../../kernel/jobs/outbox.ts'
import { deliveryDetails } from './messages.ts'
import type { ClientRow, Flow, PoolRow } from './resources.ts'

/** `PreventUserExistenceErrors`. */
export const isConcealing = ({ settings }: ClientRow): boolean => settings.PreventUserExistenceErrors === 'ENABLED'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** Where a message to a user would have gone: the same for a name each time. */
function simulatedDetails(call: Pick<Flow, 'vault'>, pool: PoolRow, claimed: string): CodeDeliveryDetailsType {
  if (/^\+\d+$/.test(claimed)) return deliveryDetails('SMS', claimed)
  if (claimed.includes('@')) return deliveryDetails('EMAIL', claimed)
  const bytes = call.vault.mac('user-pool', `delivery ${pool.id} ${claimed.toLowerCase()}`)
  const [local, host] = [bytes[0]!, bytes[1]!].map((byte) => LETTERS[byte % LETTERS.length]!)
  return deliveryDetails('EMAIL', `${local}@${host}`)
}

/** Does the work of sending a code to a user that does not exist, and says where it would have gone. */
export async function simulatedDelivery(
  call: Pick<Flow, 'vault' | 'unit' | 'quotas' | 'now' | 'newId'>,
  pool: PoolRow,
  claimed: string,
): Promise<CodeDeliveryDetailsType> {
  const { account } = pool
  const text = 'Your confirmation code is 000000.'
  await mailbox.pretend(call, `cognito/${pool.id}/none/${call.newId()}`, {
    account,
    to: `${claimed}@none`,
    subject: 'Your verification code',
    text,
  })
  return simulatedDetails(call, pool, claimed)
}
