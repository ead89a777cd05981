/** The users and roles that may do an action on a resource. */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { useState } from 'react'
import { missingKeys } from '../../../../src/policy/account/access-text.ts'
import type { Identity } from '../../../../src/policy/account/identity.ts'
import { accountIn } from '../../../../src/policy/account/principal-context.ts'
import { type Own, reachOf } from '../../../../src/policy/account/reach-of.ts'
import type { Access } from '../../../../src/policy/reach.ts'
import { compile, loadAccount } from '../../access/account.ts'
import { compiledLevels, loadLevels } from '../../access/organization.ts'
import type { Client } from '../../api/client.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, replaceQuery, usePlace } from '../../app/router.ts'
import { AccessList } from '../../ui/access-shown.tsx'
import { ActionInput } from '../../ui/action-input.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'

interface Row {
  readonly identity: Identity
  readonly accesses: readonly Access[]
}

export default function WhoCan() {
  const { query } = usePlace()
  const { acting } = useMerlon()
  const request = { action: query.get('action') ?? '', resource: query.get('resource') ?? '*' }
  const [action, setAction] = useState(request.action)
  const [resource, setResource] = useState(request.resource)
  const isComplete = /^[a-z0-9-]+:[a-z0-9_]+$/i.test(action) && (resource === '*' || resource.startsWith('arn:'))
  const answer = useLoaded(
    request.action === '' ? undefined : `who can ${request.action} on ${request.resource}`,
    (client) => whoCan(client, request.action, request.resource, acting.account),
  )
  const { rows, notes, count } = answer.data ?? { rows: undefined, notes: [], count: 0 }
  return (
    <Page title="Who can do this?" description="The users and roles of this account whose policies allow an action.">
      <Container>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (isComplete) replaceQuery({ action, resource })
          }}
        >
          <div className="fields-row">
            <FormField label="Action" description="For example kms:Decrypt">
              <ActionInput value={action} onChange={setAction} />
            </FormField>
            <FormField label="Resource" description="An ARN, with wildcards if you like, or *">
              <Input value={resource} onChange={({ detail }) => setResource(detail.value.trim())} />
            </FormField>
            <Button variant="primary" formAction="submit" disabled={!isComplete} loading={answer.loading}>
              Ask
            </Button>
          </div>
        </form>
      </Container>
      {notes.map((note) => (
        <Alert key={note} type="info">
          {note}
        </Alert>
      ))}
      {request.action !== '' && (
        <ResourceTable<Row>
          title={`${request.action} on ${request.resource}`}
          noun="identity"
          description={rows && `${rows.length} of ${count} users and roles`}
          loaded={{ ...answer, data: rows }}
          idOf={({ identity }) => identity.arn}
          empty="No user or role of this account may do this."
          columns={[
            {
              header: 'Who',
              value: ({ identity }) => identity.name,
              href: ({ identity }) => hrefOf(['iam', `${identity.kind}s`, identity.name]),
            },
            { header: 'Type', value: ({ identity }) => identity.kind },
            {
              header: 'Answer',
              value: ({ accesses }) => (accesses.some(({ certain }) => certain) ? 'Yes' : 'Under conditions'),
              cell: ({ accesses }) =>
                accesses.some(({ certain }) => certain) ? (
                  <StatusIndicator>Yes</StatusIndicator>
                ) : (
                  <StatusIndicator type="warning">Under conditions</StatusIndicator>
                ),
            },
            {
              header: 'Through',
              value: ({ accesses }) => missingKeys(accesses).join(' '),
              cell: ({ accesses }) => <AccessList accesses={accesses} within={request.resource} />,
            },
          ]}
        />
      )}
    </Page>
  )
}

async function whoCan(client: Client, action: string, resource: string, here: string) {
  const [account, scps, rcps] = await Promise.all([
    loadAccount(client),
    loadLevels(client, here, 'SERVICE_CONTROL_POLICY'),
    loadLevels(client, here, 'RESOURCE_CONTROL_POLICY'),
  ])
  const { own, note } = await ownPolicy(client, action, resource, account.identities)
  const around = { scps: compiledLevels(scps), rcps: compiledLevels(rcps), context: {}, without: [] }
  const owner = accountIn(resource) ?? account.id
  const rows = account.identities
    .map((identity) => ({ identity, accesses: reachOf(identity, around, owner, own).of(action, resource) }))
    .filter(({ accesses }) => accesses.length > 0)
    .toSorted(
      (a, b) => Number(b.accesses.some(({ certain }) => certain)) - Number(a.accesses.some(({ certain }) => certain)),
    )
  const notes = [
    ...(note ? [note] : []),
    ...(scps ? [] : ['The control policies of the organization cannot be read from here: they are left out.']),
  ]
  return { rows, notes, count: account.identities.length }
}

async function ownPolicy(
  client: Client,
  action: string,
  resource: string,
  identities: readonly Identity[],
): Promise<{ readonly own?: Own; readonly note?: string }> {
  const trust = identities.find(({ arn }) => arn === resource)?.trust
  if (action.toLowerCase().startsWith('sts:') && trust) return { own: { policy: trust, mode: 'required' } }
  if (/^arn:[^:]+:kms:.*:key\/[^*?]+$/.test(resource)) {
    try {
      const { Policy } = await client.call('kms', 'GetKeyPolicy', { KeyId: resource, PolicyName: 'default' })
      return {
        own: { policy: compile(Policy!, 'resource', 'the key policy'), mode: 'required' },
        note: 'Grants on the key are not considered: see the page of the key.',
      }
    } catch {
      return {
        note: 'The key policy cannot be read, and a KMS key obeys it first: these answers hold only where it delegates to the account.',
      }
    }
  }
  if (/^kms:/i.test(action))
    return { note: 'A KMS key obeys its key policy first: enter the ARN of one key for a whole answer.' }
  return { note: 'A policy on the resource itself, if there is one, is not considered.' }
}
