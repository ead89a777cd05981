/** What can they do? Every action that the policies of a user or role allow, and where. */
import Alert from '@cloudscape-design/components/alert'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Select from '@cloudscape-design/components/select'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { folded } from '../../../../src/policy/account/folded-actions.ts'
import type { Identity } from '../../../../src/policy/account/identity.ts'
import { reachOf } from '../../../../src/policy/account/reach-of.ts'
import type { Access } from '../../../../src/policy/reach.ts'
import { loadAccount } from '../../access/account.ts'
import { actionsByService } from '../../access/actions.ts'
import { compiledLevels, loadLevels } from '../../access/organization.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { replaceQuery, usePlace } from '../../app/router.ts'
import { AccessList } from '../../ui/access-shown.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Code } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'

/** Actions with the same access. */
interface Group {
  readonly actions: readonly string[]
  readonly shown: readonly string[]
  readonly accesses: readonly Access[]
}

export default function WhatCan() {
  const { query } = usePlace()
  const { acting } = useMerlon()
  const principal = query.get('principal') ?? ''
  const service = query.get('service') ?? ''
  const known = useLoaded('account and controls', async (client) => {
    const [account, actions, scps, rcps] = await Promise.all([
      loadAccount(client),
      actionsByService(),
      loadLevels(client, acting.account, 'SERVICE_CONTROL_POLICY'),
      loadLevels(client, acting.account, 'RESOURCE_CONTROL_POLICY'),
    ])
    return { account, actions, scps, rcps }
  })
  const identity = known.data?.account.identities.find(({ arn }) => arn === principal)
  const groups = useLoaded(known.data && identity ? `what can ${principal} in ${service}` : undefined, async () => {
    const { account, actions, scps, rcps } = known.data!
    const around = { scps: compiledLevels(scps), rcps: compiledLevels(rcps), context: {}, without: [] }
    const wanted = service === '' ? actions : new Map([[service, actions.get(service) ?? []]])
    return grouped(identity!, account.id, around, wanted)
  })
  if (known.error) return <ErrorAlert error={known.error} onRetry={known.reload} />
  const identities = known.data?.account.identities ?? []
  const option = (each: Identity) => ({ value: each.arn, label: each.name })
  const choose = (next: { readonly principal?: string; readonly service?: string }) => {
    const whole = { principal, service, ...next }
    replaceQuery({ principal: whole.principal, ...(whole.service !== '' && { service: whole.service }) })
  }
  return (
    <Page
      title="What can they do?"
      description="Everything that the policies of a user or role allow, and on which resources."
    >
      <Container>
        <div className="fields-row">
          <FormField label="User or role">
            <Select
              selectedOption={identity ? option(identity) : null}
              statusType={known.loading ? 'loading' : 'finished'}
              filteringType="auto"
              placeholder="Choose a user or role"
              options={(['user', 'role'] as const)
                .map((kind) => ({
                  label: kind === 'user' ? 'Users' : 'Roles',
                  options: identities.filter((each) => each.kind === kind).map(option),
                }))
                .filter(({ options }) => options.length > 0)}
              onChange={({ detail }) => choose({ principal: detail.selectedOption.value! })}
            />
          </FormField>
          <FormField label="Service">
            <Select
              selectedOption={{ value: service, label: service === '' ? 'All services' : service }}
              filteringType="auto"
              virtualScroll
              options={[
                { value: '', label: 'All services' },
                ...[...(known.data?.actions.keys() ?? [])].map((each) => ({ value: each, label: each })),
              ]}
              onChange={({ detail }) => choose({ service: detail.selectedOption.value! })}
            />
          </FormField>
        </div>
      </Container>
      {known.data && !known.data.scps && (
        <Alert type="info">The control policies of the organization cannot be read from here: they are left out.</Alert>
      )}
      {identity && (
        <ResourceTable<Group>
          title={identity.name}
          noun="group of actions"
          loaded={groups}
          idOf={({ shown }) => shown.join()}
          empty="Its policies allow nothing here."
          columns={[
            {
              header: 'Actions',
              value: ({ shown }) => shown.join(', '),
              cell: ({ shown }) => <Code>{shown.join(', ')}</Code>,
            },
            { header: 'Number', value: ({ actions }) => actions.length },
            {
              header: 'Answer',
              value: ({ accesses }) => accesses.some(({ certain }) => certain),
              cell: ({ accesses }) =>
                accesses.some(({ certain }) => certain) ? (
                  <StatusIndicator>Allowed</StatusIndicator>
                ) : (
                  <StatusIndicator type="warning">Under conditions</StatusIndicator>
                ),
            },
            { header: 'Through', value: () => undefined, cell: ({ accesses }) => <AccessList accesses={accesses} /> },
          ]}
        />
      )}
    </Page>
  )
}

type Around = Parameters<typeof reachOf>[1]

/** The engine answers alike for actions that the same statements bear on: the answer is the key. */
function grouped(
  identity: Identity,
  account: string,
  around: Around,
  wanted: ReadonlyMap<string, readonly string[]>,
): readonly Group[] {
  const reach = reachOf(identity, around, account)
  const groups = new Map<readonly Access[], string[]>()
  for (const action of [...wanted.values()].flat()) {
    const accesses = reach.of(action)
    if (accesses.length === 0) continue
    const group = groups.get(accesses)
    if (group) group.push(action)
    else groups.set(accesses, [action])
  }
  return [...groups].map(([accesses, actions]) => ({ actions, accesses, shown: folded(actions, wanted) }))
}
