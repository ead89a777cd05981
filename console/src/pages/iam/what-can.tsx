/** What can they do? Every action that the policies of a user or role allow, and where. */
import Alert from '@cloudscape-design/components/alert'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Select from '@cloudscape-design/components/select'
import type { Identity } from '../../../../src/policy/account/identity.ts'
import { loadAccount } from '../../access/account.ts'
import { actionsByService } from '../../access/actions.ts'
import { compiledLevels, loadLevels } from '../../access/organization.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { replaceQuery, usePlace } from '../../app/router.ts'
import { AccessGroups, accessGroups } from '../../ui/access-groups.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Page } from '../../ui/page.tsx'
import { useLoaded } from '../../ui/use-call.ts'

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
    return accessGroups(identity!, account.id, around, wanted)
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
      {identity && <AccessGroups title={identity.name} groups={groups} />}
    </Page>
  )
}
