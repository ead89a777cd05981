/** Accounts of ACME clients: shown and listed by their endpoint's owner, and revoked. */
import type { AcmeAccount } from '@aws-sdk/client-acm'
import type { Call } from '../../kernel/gate/call.ts'
import { pageOf } from '../../kernel/service/page.ts'
import {
  type AccountRow,
  accountKey,
  accountsOf,
  accountUrl,
  binding,
  type EndpointRow,
  endpoint,
} from './acme-resources.ts'
import { acm, badToken } from './resources.ts'

const PAGE_DEFAULT = 50

async function accountAt(call: Call, row: EndpointRow, url: string): Promise<AccountRow> {
  const id = /\/account\/([0-9a-f-]{36})$/.exec(url)?.[1]
  const account = id === undefined ? undefined : await call.unit.get<AccountRow>(accountKey(row.id, id))
  if (!account) throw acm.fail('ResourceNotFoundException', `Could not find the account ${url}.`)
  return account
}

export const describeAcmeAccount = acm
  .operation('DescribeAcmeAccount')
  .on(endpoint.named('AcmeEndpointArn'))
  .run(async (call, { AccountUrl }, { row }) => ({
    AcmeAccount: described(row, await accountAt(call, row, AccountUrl)),
  }))

export const listAcmeAccounts = acm
  .operation('ListAcmeAccounts')
  .on(endpoint.named('AcmeEndpointArn'))
  .run(async (call, input, { row }) => {
    const rows = (await call.unit.range<AccountRow>(accountsOf(row.id))).map(({ document }) => document)
    const { items, next } = await pageOf(call, rows, ({ id }) => id, {
      token: input.NextToken,
      size: input.MaxResults ?? PAGE_DEFAULT,
      query: row.id,
      bad: badToken,
    })
    return { AcmeAccounts: items.map((each) => described(row, each)), ...(next !== undefined && { NextToken: next }) }
  })

export const revokeAcmeAccount = acm
  .operation('RevokeAcmeAccount')
  .on(endpoint.named('AcmeEndpointArn'))
  .run(async (call, { AccountUrl }, { row }) => {
    const account = await accountAt(call, row, AccountUrl)
    call.unit.put(accountKey(row.id, account.id), { ...account, status: 'REVOKED' } satisfies AccountRow)
    return {}
  })

const described = (row: EndpointRow, account: AccountRow): AcmeAccount => ({
  AccountUrl: accountUrl(row, account.id),
  PublicKeyThumbprint: account.thumbprint,
  Status: account.status,
  CreatedAt: new Date(account.createdAt),
  AcmeExternalAccountBindingArn: binding.arn(row, {
    AcmeEndpointId: row.id,
    ExternalAccountBindingId: account.bindingId,
  }),
  Contacts: [...account.contacts],
})
