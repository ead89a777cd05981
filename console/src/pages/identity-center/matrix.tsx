/** Who has what where: the assignments of all people, groups and accounts at a glance, and as CSV. */
import Badge from '@cloudscape-design/components/badge'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import TextFilter from '@cloudscape-design/components/text-filter'
import Toggle from '@cloudscape-design/components/toggle'
import { useState } from 'react'
import { inParallel } from '../../api/in-parallel.ts'
import { hrefOf } from '../../app/router.ts'
import { csvText, saveFile } from '../../ui/csv.ts'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Muted } from '../../ui/fields.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { type Assigned, type MatrixRow, matrixCsv, matrixOf } from './access-matrix.ts'
import {
  accountNames,
  accountShown,
  type Center,
  loadAssignments,
  loadGroups,
  loadMembers,
  loadPeople,
  loadPermissionSets,
} from './center.ts'
import { CenterPage } from './center-page.tsx'

/** A table that is larger is not read at a glance; the filter finds the rest, and the CSV has everything. */
const ROWS_MAX = 100
const ACCOUNTS_MAX = 30

export default function AccessMatrix() {
  return (
    <CenterPage
      title="Who has what where"
      description="The permission sets of people and groups, account by account."
      actions={
        <Button variant="primary" href={hrefOf(['identity-center', 'assign'])}>
          Assign access
        </Button>
      }
    >
      {(center) => <MatrixOf center={center} />}
    </CenterPage>
  )
}

function MatrixOf({ center }: { readonly center: Center }) {
  const [text, setText] = useState('')
  const [perPerson, setPerPerson] = useState(false)
  const loaded = useLoaded(`assignments of ${center.instance}`, async (client) => {
    const [sets, people, groups, names] = await Promise.all([
      loadPermissionSets(client, center),
      loadPeople(client, center),
      loadGroups(client, center),
      accountNames(client),
    ])
    const assignments = await loadAssignments(client, center, sets)
    const assigned = [...new Set(assignments.flatMap(({ kind, principal }) => (kind === 'GROUP' ? [principal] : [])))]
    const memberships = (await inParallel(assigned, (group) => loadMembers(client, center, group))).flat()
    return { sets, people, groups, names, assignments, memberships }
  })
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner size="large" />
  const { names } = loaded.data
  const matrix = matrixOf(loaded.data, perPerson)
  const wanted = text.toLowerCase()
  const has = (value: string | undefined) => value?.toLowerCase().includes(wanted) ?? false
  const isAccountNamed = (account: string) => has(account) || has(names.get(account))
  // A filter that names an account leaves this account; one that names a person or permission set leaves these rows.
  const named = wanted === '' ? [] : matrix.accounts.filter(isAccountNamed)
  const accounts = named.length > 0 ? named : matrix.accounts
  const rows = matrix.rows.filter(
    ({ name, cells }) =>
      (named.length > 0 && named.some((account) => cells.has(account))) ||
      has(name) ||
      [...cells.values()].flat().some(({ set, via }) => has(set) || has(via)),
  )
  return (
    <Container
      header={
        <Header
          variant="h2"
          counter={`(${matrix.rows.length})`}
          actions={
            <Button
              iconName="download"
              disabled={matrix.rows.length === 0}
              onClick={() => saveFile('access.csv', csvText(matrixCsv(matrix, names)), 'text/csv')}
            >
              Export CSV
            </Button>
          }
        >
          {perPerson ? 'People' : 'People and groups'}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <div className="fields-row">
          <TextFilter
            filteringText={text}
            filteringPlaceholder="Find a person, group, account or permission set"
            filteringAriaLabel="Find a person, group, account or permission set"
            countText={`${rows.length} found`}
            onChange={({ detail }) => setText(detail.filteringText)}
          />
          <Toggle checked={perPerson} onChange={({ detail }) => setPerPerson(detail.checked)}>
            Show the members of groups
          </Toggle>
        </div>
        {matrix.rows.length === 0 && <Muted>No access is assigned.</Muted>}
        {rows.length > 0 && (
          <Table rows={rows.slice(0, ROWS_MAX)} accounts={accounts.slice(0, ACCOUNTS_MAX)} names={names} />
        )}
        {(rows.length > ROWS_MAX || accounts.length > ACCOUNTS_MAX) && (
          <Muted>
            Shown are {Math.min(rows.length, ROWS_MAX)} of {rows.length} rows and{' '}
            {Math.min(accounts.length, ACCOUNTS_MAX)} of {accounts.length} accounts. The filter finds others, and the
            CSV has all.
          </Muted>
        )}
      </SpaceBetween>
    </Container>
  )
}

interface TableProps {
  readonly rows: readonly MatrixRow[]
  readonly accounts: readonly string[]
  readonly names: ReadonlyMap<string, string>
}

function Table({ rows, accounts, names }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: an area that scrolls must be reachable by the keyboard.
    <section className="scroll" tabIndex={0} aria-label="Who has what where">
      <table className="plain-table matrix">
        <thead>
          <tr>
            <th scope="col">Person or group</th>
            {accounts.map((account) => (
              <th scope="col" key={account}>
                {accountShown(account, names.get(account))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, kind, name, cells }) => (
            <tr key={id}>
              <th scope="row">
                <Link href={hrefOf(['identity-center', 'people', kind === 'USER' ? 'user' : 'group', id])}>{name}</Link>{' '}
                <Muted>{kind === 'USER' ? 'person' : 'group'}</Muted>
              </th>
              {accounts.map((account) => (
                <td key={account}>
                  {(cells.get(account) ?? []).map((assigned) => (
                    <Cell key={`${assigned.setArn} ${assigned.via}`} assigned={assigned} />
                  ))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Cell({ assigned: { set, setArn, via } }: { readonly assigned: Assigned }) {
  return (
    <div>
      <Badge color="blue">{set}</Badge>{' '}
      <Link href={hrefOf(['identity-center', 'permission-sets', setArn])} ariaLabel={`What ${set} allows`}>
        allows
      </Link>
      {via !== undefined && <Muted> via {via}</Muted>}
    </div>
  )
}
