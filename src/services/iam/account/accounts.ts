/** What IAM offers Organizations: accounts as tenants, each with its root user and a way in for its managers. */
import type { AccountsPort } from '../../../kernel/ports/ports.ts'
import { uniqueId } from '../../../kernel/service/id.ts'
import { key } from '../../../store/store.ts'
import { type RoleRow, role } from '../resources.ts'
import { accountAlias } from './account.ts'
import { type AccountRow, accountKey } from './bootstrap.ts'

const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'

/** `prepare` makes the account's key in the vault durable, before anything of the account is sealed. */
export function accountsPort(prepare: (account: string) => Promise<void>): AccountsPort {
  return {
    create: async (unit, { id, name, now, administrator }) => {
      await prepare(id)
      unit.put(accountKey(id), { id, name, createdAt: now } satisfies AccountRow)
      const row: RoleRow = {
        name: administrator.role,
        path: '/',
        id: uniqueId('AROA'),
        createdAt: now,
        trust: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: `arn:aws:iam::${administrator.trusts}:root` },
              Action: 'sts:AssumeRole',
            },
          ],
        }),
        trusted: {},
        maxSessionSeconds: 3600,
        tags: {},
        attached: [ADMINISTRATOR],
        inline: {},
      }
      role.put(unit, { region: '', account: id }, row)
      unit.put(key('iam', 'count', id, 'Roles'), { count: 1 })
      unit.put(key('iam', 'attached', id, ADMINISTRATOR, 'role', row.name.toLowerCase()), { name: row.name })
    },
    close: async (unit, account, now) => {
      const row = await unit.get<AccountRow>(accountKey(account))
      if (row) unit.put(accountKey(account), { ...row, closedAt: now })
    },
    describe: async (reader, account) => {
      const name = (await reader.get<AccountRow>(accountKey(account)))?.name ?? account
      const alias = await accountAlias(reader, account)
      return alias === undefined ? { name } : { name, alias }
    },
  }
}
