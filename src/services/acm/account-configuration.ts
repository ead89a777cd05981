/** Settings of an account: how long before the end of a certificate events announce it. */

import { anything } from '../../kernel/resource/target.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { key } from '../../store/store.ts'
import { acm } from './resources.ts'

export const DAYS_BEFORE_EXPIRY = 45

interface ConfigurationRow {
  readonly daysBeforeExpiry: number
  readonly token: string
}

const at = (account: string, region: string) => key('acm', 'configuration', account, region)

export const daysBeforeExpiry = async (
  reader: Pick<Reader, 'get'>,
  { account, region }: { readonly account: string; readonly region: string },
): Promise<number> => (await reader.get<ConfigurationRow>(at(account, region)))?.daysBeforeExpiry ?? DAYS_BEFORE_EXPIRY

export const getAccountConfiguration = acm
  .operation('GetAccountConfiguration')
  .on(anything)
  .run(async (call) => ({ ExpiryEvents: { DaysBeforeExpiry: await daysBeforeExpiry(call.unit, call) } }))

export const putAccountConfiguration = acm
  .operation('PutAccountConfiguration')
  .on(anything)
  .run(async (call, { ExpiryEvents, IdempotencyToken }) => {
    const place = at(call.account, call.region)
    const before = await call.unit.get<ConfigurationRow>(place)
    const daysBeforeExpiryNow = ExpiryEvents?.DaysBeforeExpiry ?? DAYS_BEFORE_EXPIRY
    if (before?.token === IdempotencyToken && before.daysBeforeExpiry !== daysBeforeExpiryNow)
      throw acm.fail('ConflictException', 'The IdempotencyToken was used for another configuration.')
    call.unit.put(place, { daysBeforeExpiry: daysBeforeExpiryNow, token: IdempotencyToken } satisfies ConfigurationRow)
    return {}
  })
