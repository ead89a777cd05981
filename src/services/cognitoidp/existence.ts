/** The response about users that do not exist: the truth, or the same as for any other user. */
import type { CodeDeliveryDetailsType } from '@aws-sdk/client-cognito-identity-provider'
import { deliveryDetails } from './messages.ts'
import type { ClientRow, Flow, PoolRow } from './resources.ts'

/** `PreventUserExistenceErrors`. */
export const isConcealing = ({ settings }: ClientRow): boolean => settings.PreventUserExistenceErrors === 'ENABLED'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** The same answer for a name each time, as if a message had gone to its address. */
export function simulatedDelivery(call: Pick<Flow, 'vault'>, pool: PoolRow, claimed: string): CodeDeliveryDetailsType {
  if (/^\+\d+$/.test(claimed)) return deliveryDetails('SMS', claimed)
  if (claimed.includes('@')) return deliveryDetails('EMAIL', claimed)
  const bytes = call.vault.mac('user-pool', `delivery ${pool.id} ${claimed.toLowerCase()}`)
  // What sealing a message takes is spent here, too.
  call.vault.seal({ table: 'cognito-idp', key: 'none', column: 'none', account: pool.account }, bytes)
  const [local, host] = [bytes[0]!, bytes[1]!].map((byte) => LETTERS[byte % LETTERS.length]!)
  return deliveryDetails('EMAIL', `${local}@${host}`)
}
