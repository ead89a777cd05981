/** The account that an installation begins with: made by its first start, once, however many nodes start together. */
import { key, type Unit, under } from '../store/store.ts'
import type { Cloud } from './cloud.ts'
import { chooseAccountId } from './installation.ts'
import type { RunningServer } from './server.ts'

const CLAIM = key('iam', 'first-account')
const hasAccounts = async (unit: Unit): Promise<boolean> =>
  (await unit.range(under('iam', 'account'), { limit: 1 })).length > 0

/** On the first start, or after one that died half way. Whoever made it is told its root key; nobody else is. */
export async function firstAccount(cloud: Cloud, accountId: string | undefined): Promise<RunningServer['made']> {
  const given = accountId === undefined ? undefined : chooseAccountId(accountId)
  // Agreed on before its key is made, so that no key is made for an account that never comes to be.
  const id = await cloud.store.run(async (unit) => {
    if (await hasAccounts(unit)) return undefined
    const claim = await unit.get<{ readonly id: string }>(CLAIM)
    const chosen = given ?? claim?.id ?? chooseAccountId(undefined)
    if (claim?.id !== chosen) unit.put(CLAIM, { id: chosen })
    return chosen
  })
  if (id === undefined) return []
  const rootKey = await cloud.addAccountIf({ id, name: 'management' }, async (unit) => {
    if (await hasAccounts(unit)) return false
    unit.delete(CLAIM)
    return true
  })
  return rootKey ? [{ accountId: id, rootKey }] : []
}
