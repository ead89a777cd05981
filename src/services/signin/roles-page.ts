/** The page on which a federated person chooses one of several roles. */
import { type Html, html } from '../../kernel/web/html.ts'
import { hidden, page, problem } from './pages.ts'

export interface OfferedRole {
  readonly arn: string
  readonly name: string
  readonly accountId: string
  readonly accountName?: string | undefined
}

interface RolesPage {
  readonly action: string
  readonly fields: Readonly<Record<string, string | undefined>>
  readonly roles: readonly OfferedRole[]
  readonly failure?: string | undefined
}

export function rolesPage({ action, fields, roles, failure }: RolesPage): Html {
  const accounts = [...new Set(roles.map(({ accountId }) => accountId))]
  const choices = (accountId: string) => roles.filter((role) => role.accountId === accountId)
  const nameOf = (accountId: string) => choices(accountId)[0]?.accountName
  return page({
    title: 'Select a role',
    content: html`${problem(failure)}
<form method="post" action="${action}">${hidden(fields)}
${accounts.map(
  (accountId) => html`<fieldset><legend>Account: ${nameOf(accountId) && `${nameOf(accountId)} `}(${accountId})</legend>
${choices(accountId).map(({ arn, name }) => html`<label class="choice"><input type="radio" name="role" value="${arn}" required>${name}</label>`)}</fieldset>`,
)}
<button>Sign in</button></form>`,
  })
}
