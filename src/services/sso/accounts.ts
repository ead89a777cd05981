/** The portal's first page: a person's applications, and accounts with their roles, page by page and searched. */
import { hidden } from '../../kernel/web/forms.ts'
import { type Html, html } from '../../kernel/web/html.ts'
import type { WebAnswer } from '../../kernel/web/site.ts'
import { applicationsList, type Person, page, type ShownApplication } from './pages.ts'
import { accountsOf, applicationsOf } from './roles.ts'
import type { Visit } from './session.ts'

/** A page has accounts with so many roles together, but one account at least. */
const ROLES_ON_A_PAGE = 100
const SEARCH_CHARS_MAX = 128

interface ShownAccount {
  readonly id: string
  readonly name: string
  readonly roles: readonly string[]
}

interface Listing {
  readonly accounts: readonly ShownAccount[]
  readonly search: string
  /** From 1. */
  readonly number: number
  readonly pages: number
}

export async function accounts({ call, person, input, shown }: Visit): Promise<WebAnswer> {
  const all = (await accountsOf(call, person)).map(
    ({ id, name, alias, roles }): ShownAccount => ({ id, name: alias ?? name, roles }),
  )
  const search = (input.query['q'] ?? '').trim().slice(0, SEARCH_CHARS_MAX)
  const found = search === '' ? all : all.flatMap((each) => matching(each, search))
  const pages = pagesOf(found)
  const wanted = Number(input.query['page'] ?? 1)
  const number = Number.isInteger(wanted) && wanted >= 1 && wanted <= pages.length ? wanted : 1
  const applications = (await applicationsOf(call, person)).map(({ id, name, description, url }) => ({
    name,
    description,
    href: url ?? `/start/saml/${person.instance.id}/${id}`,
  }))
  const listing: Listing = {
    accounts: pages[number - 1] ?? [],
    search,
    number,
    pages: pages.length,
  }
  return { page: accountsPage(shown, listing, applications) }
}

/** All roles of an account whose name or ID has the text, else those whose names have it. */
function matching(account: ShownAccount, search: string): readonly ShownAccount[] {
  const text = search.toLowerCase()
  const has = (value: string) => value.toLowerCase().includes(text)
  if (has(account.name) || has(account.id)) return [account]
  const roles = account.roles.filter(has)
  return roles.length > 0 ? [{ ...account, roles }] : []
}

function pagesOf(all: readonly ShownAccount[]): readonly (readonly ShownAccount[])[] {
  const pages: ShownAccount[][] = []
  let room = 0
  for (const account of all) {
    if (account.roles.length > room) {
      pages.push([])
      room = ROLES_ON_A_PAGE
    }
    pages.at(-1)!.push(account)
    room -= account.roles.length
  }
  return pages
}

const accountsPage = (person: Person, listing: Listing, applications: readonly ShownApplication[]): Html => {
  const { accounts, search, pages } = listing
  const isSearched = search !== '' || pages > 1
  const isEmpty = accounts.length === 0
  return page({
    title: applications.length === 0 ? 'Accounts' : 'Accounts and applications',
    person,
    content: html`${applicationsList(applications)}${isSearched && searchForm(search)}${
      isEmpty && isSearched
        ? html`<section><p>No account or role has “${search}” in its name.</p></section>`
        : isEmpty && applications.length === 0
          ? html`<section><p>No account is assigned to you or to your groups. Contact your administrator.</p></section>`
          : accounts.map((account) => section(account, person.csrf))
    }${pages > 1 && pageLinks(listing)}`,
  })
}

const searchForm = (search: string): Html => html`<form method="get" action="/start" role="search" class="row">
<input name="q" type="search" value="${search}" aria-label="Account or role" placeholder="Account or role" maxlength="${SEARCH_CHARS_MAX}" autocapitalize="none" spellcheck="false">
<button class="second">Search</button></form>`

const section = ({ id, name, roles }: ShownAccount, csrf: string): Html =>
  html`<section><h2>${name} <span class="quiet">${id}</span></h2><ul>
${roles.map(
  (role) => html`<li><span>${role}</span><span class="row">
<form method="post" action="/start/console">${hidden({ csrf, account: id, role })}<button class="second" aria-label="Open console of ${name} as ${role}">Open console</button></form>
<form method="post" action="/start/credentials">${hidden({ csrf, account: id, role })}<button class="second" aria-label="Command line credentials of ${role} in ${name}">Command line credentials</button></form>
</span></li>`,
)}</ul></section>`

function pageLinks({ search, number, pages }: Listing): Html {
  const to = (page: number) =>
    `/start?${new URLSearchParams({ ...(search !== '' && { q: search }), page: String(page) })}`
  return html`<nav class="row" aria-label="Pages of accounts">
${number > 1 && html`<a href="${to(number - 1)}" rel="prev">Previous</a>`}
<span>Page ${number} of ${pages}</span>
${number < pages && html`<a href="${to(number + 1)}" rel="next">Next</a>`}</nav>`
}
