/** What a change would do to calls that were made: allowed ones that would be denied, and the other way round. */
import Alert from '@cloudscape-design/components/alert'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { useState } from 'react'
import type { Replayed } from '../../../../src/policy/account/replay-calls.ts'
import { type Change, REPLAYED_MAX, whatIf } from '../../access/what-if.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'

type Flip = Replayed['flips'][number]

interface Props {
  readonly change: Change
  /** Accounts whose calls can be evaluated; default: this one. */
  readonly accounts?: readonly { readonly id: string; readonly name: string }[]
}

/** The role that Organizations creates in a new account for its management account. */
const ACCESS_ROLE = 'OrganizationAccountAccessRole'

export function WhatIf({ change, accounts = [] }: Props) {
  const merlon = useMerlon()
  const here = merlon.acting.account
  const [account, setAccount] = useState(here)
  const answer = useLoaded(`what if ${account} ${JSON.stringify(change)}`, async (client) => {
    const member = account === here ? client : await merlon.clientAs({ account, role: ACCESS_ROLE })
    return whatIf(member, client, account, change)
  })
  const { data } = answer
  const denied = data?.flips.filter(({ becomes }) => becomes === 'denied').length ?? 0
  const allowed = data?.flips.filter(({ becomes }) => becomes === 'allowed').length ?? 0
  const open = data?.flips.filter(({ becomes }) => becomes === 'open').length ?? 0
  const options = [
    { value: here, label: `This account (${here})` },
    ...accounts.filter(({ id }) => id !== here).map(({ id, name }) => ({ value: id, label: `${name} (${id})` })),
  ]
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={`The newest ${REPLAYED_MAX} calls of this Region, evaluated again with the change.`}
        >
          What would change?
        </Header>
      }
    >
      <SpaceBetween size="m">
        {options.length > 1 && (
          <FormField label="Whose calls" description={`Another account is read through its role ${ACCESS_ROLE}.`}>
            <Select
              selectedOption={options.find(({ value }) => value === account)!}
              options={options}
              onChange={({ detail }) => setAccount(detail.selectedOption.value!)}
            />
          </FormField>
        )}
        {change.kind === 'scp' && account === here && (
          <Alert type="info">
            Service control policies do not bind the management account: its calls are evaluated as if they did.
          </Alert>
        )}
        {answer.loading && (
          <div>
            <Spinner /> Evaluating
          </div>
        )}
        {answer.error && <ErrorAlert error={answer.error} onRetry={answer.reload} />}
        {data && (
          <>
            <StatusIndicator type={data.flips.length === 0 ? 'success' : 'warning'}>
              {data.calls} calls: {denied} would be denied, {allowed} would be allowed, {open} depend on values that are
              not in the record.
            </StatusIndicator>
            {data.flips.length > 0 && (
              <ResourceTable<Flip>
                title="Calls with another result"
                noun="call"
                variant="embedded"
                headerVariant="h3"
                loaded={{ ...answer, data: data.flips }}
                idOf={({ call, resource }) => `${call.id} ${resource}`}
                columns={[
                  { header: 'Call', value: ({ call }) => call.action, href: ({ call }) => hrefOf(['audit', call.id]) },
                  {
                    header: 'Would be',
                    value: ({ becomes }) => becomes,
                    cell: ({ becomes, missing }) =>
                      becomes === 'denied' ? (
                        <StatusIndicator type="error">Denied</StatusIndicator>
                      ) : becomes === 'allowed' ? (
                        <StatusIndicator>Allowed</StatusIndicator>
                      ) : (
                        <StatusIndicator type="info">Depends on {missing.join(', ')}</StatusIndicator>
                      ),
                  },
                  { header: 'Caller', value: ({ call }) => call.principal?.split('/').at(-1) },
                  { header: 'Resource', value: ({ resource }) => resource },
                  {
                    header: 'Time',
                    value: ({ call }) => call.time,
                    cell: ({ call }) => timeShown(new Date(call.time)),
                  },
                ]}
              />
            )}
            {data.strangers + data.unexplained > 0 && (
              <Alert type="info">
                Left out: {data.strangers} calls of root, services and deleted identities, and {data.unexplained} whose
                result the policies of users and roles do not explain.
              </Alert>
            )}
          </>
        )}
      </SpaceBetween>
    </Container>
  )
}
