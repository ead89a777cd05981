/** The account that an installation begins with: made by its first start, once, however many nodes start together. */
import { bootstrap } from '../../kernel/ports/bootstrap.ts'
import type { Cloud } from './cloud.ts'
import { chooseAccountId } from './installation.ts'
import type { RunningServer } from './server-options.ts'

/**
 * On the first start, or after one that died half way. Returns the root key to the process that created it, and to no
 * other.
 */
export async function firstAccount(cloud: Cloud, accountId: string | undefined): Promise<RunningServer['made']> {
  const given = accountId === undefined ? undefined : chooseAccountId(accountId)
  const installed = cloud.use(bootstrap)
  // Agreed on before its key is made, so that no key is made for an account that is not created.
  const id = await cloud.store.run((unit) =>
    installed.claimFirst(unit, (claimed) => given ?? claimed ?? chooseAccountId(undefined)),
  )
  if (id === undefined) return []
  const rootKey = await cloud.addAccountIf({ id, name: 'management' }, (unit) => installed.endClaim(unit))
  return rootKey ? [{ accountId: id, rootKey }] : []
}
