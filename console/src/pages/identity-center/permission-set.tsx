/** One permission set: its policies, what they amount to, and where it is assigned. */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import { useState } from 'react'
import { actionsByService } from '../../access/actions.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { AccessGroups, accessGroups } from '../../ui/access-groups.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields, formatted } from '../../ui/fields.tsx'
import { JsonView } from '../../ui/json-view.tsx'
import { isJson, PolicyEditor } from '../../ui/policy-editor.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { type Loaded, useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import type { Center } from './center.ts'
import { CenterPage } from './center-page.tsx'
import { durationShown } from './permission-sets.tsx'
import { loadSetPolicies, roleOf, type SetPolicies } from './set-access.ts'

export default function PermissionSetPage({ rest: [arn = ''] }: { readonly rest: readonly string[] }) {
  return (
    <CenterPage
      title="Permission set"
      trail={[['Permission sets', ['identity-center', 'permission-sets']]]}
      actions={<Button href={hrefOf(['identity-center', 'assign'], { set: arn })}>Assign</Button>}
    >
      {(center) => <Detail center={center} arn={arn} />}
    </CenterPage>
  )
}

function Detail({ center, arn }: { readonly center: Center; readonly arn: string }) {
  const loaded = useLoaded(`permission set ${arn}`, (client) => loadSetPolicies(client, center, arn))
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner size="large" />
  const { set } = loaded.data
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">{set.Name}</Header>}>
        <Fields
          items={{
            Description: set.Description,
            Session: durationShown(set.SessionDuration),
            ARN: <Copyable text={arn} />,
          }}
        />
      </Container>
      <Amount policies={loaded.data} />
      <Policies center={center} arn={arn} loaded={loaded} />
    </SpaceBetween>
  )
}

/** What the permission set allows in this account, before control policies. */
function Amount({ policies }: { readonly policies: SetPolicies }) {
  const { acting } = useMerlon()
  const access = useLoaded(`access of ${JSON.stringify(policies)}`, async (client) => {
    const [role, actions] = await Promise.all([roleOf(policies, acting.account, client, client), actionsByService()])
    const around = { scps: undefined, rcps: undefined, context: {}, without: [] }
    return { ...role, groups: accessGroups(role.identity, acting.account, around, actions) }
  })
  return (
    <SpaceBetween size="l">
      {(access.data?.notes ?? []).map((note) => (
        <Alert key={note} type="info">
          {note}
        </Alert>
      ))}
      <AccessGroups
        title="What the policies amount to"
        groups={{ ...access, data: access.data?.groups } as Loaded<NonNullable<typeof access.data>['groups']>}
      />
    </SpaceBetween>
  )
}

interface PoliciesProps {
  readonly center: Center
  readonly arn: string
  readonly loaded: Loaded<SetPolicies>
}

interface Attached {
  readonly name: string
  readonly kind: string
  readonly remove: () => Promise<unknown>
}

function Policies({ center, arn, loaded }: PoliciesProps) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const { managed = [], customer = [], inline, boundary } = loaded.data ?? {}
  const input = { InstanceArn: center.instance, PermissionSetArn: arn }
  const attached: readonly Attached[] = [
    ...managed.map(({ Name, Arn }) => ({
      name: Name!,
      kind: 'AWS managed',
      remove: () =>
        client.call('sso-admin', 'DetachManagedPolicyFromPermissionSet', { ...input, ManagedPolicyArn: Arn! }),
    })),
    ...customer.map((reference) => ({
      name: `${reference.Path ?? '/'}${reference.Name}`,
      kind: 'Managed in each account',
      remove: () =>
        client.call('sso-admin', 'DetachCustomerManagedPolicyReferenceFromPermissionSet', {
          ...input,
          CustomerManagedPolicyReference: reference,
        }),
    })),
  ]
  return (
    <SpaceBetween size="l">
      <ResourceTable<Attached>
        title="Managed policies"
        noun="managed policy"
        loaded={{ ...loaded, data: attached }}
        idOf={({ kind, name }) => `${kind} ${name}`}
        selectable="single"
        columns={[
          { header: 'Name', value: ({ name }) => name },
          { header: 'Kind', value: ({ kind }) => kind },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title={`Detach ${selected!.name}?`}
                    submit="Detach"
                    onClose={close}
                    run={() => selected!.remove().then(loaded.reload)}
                  >
                    Accounts keep the policy until the permission set is provisioned again.
                  </Dialog>
                ))
              }
            >
              Detach
            </Button>
            <Button onClick={() => open((close) => <Attach input={input} onClose={close} onDone={loaded.reload} />)}>
              Attach AWS managed policy
            </Button>
          </>
        )}
      />
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <Button
                onClick={() =>
                  open((close) => <EditInline input={input} text={inline} onClose={close} onDone={loaded.reload} />)
                }
              >
                Edit
              </Button>
            }
          >
            Inline policy
          </Header>
        }
      >
        {inline ? <JsonView text={formatted(inline)} label="Inline policy" /> : 'There is no inline policy.'}
      </Container>
      {boundary && (
        <Container header={<Header variant="h2">Permissions boundary</Header>}>
          {boundary.ManagedPolicyArn ?? boundary.CustomerManagedPolicyReference?.Name}
        </Container>
      )}
      {dialog}
    </SpaceBetween>
  )
}

interface ChangeProps {
  readonly input: { readonly InstanceArn: string; readonly PermissionSetArn: string }
  readonly onClose: () => void
  readonly onDone: () => void
}

function Attach({ input, onClose, onDone }: ChangeProps) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  const ManagedPolicyArn = name.startsWith('arn:') ? name : `arn:aws:iam::aws:policy/${name}`
  return (
    <Dialog
      title="Attach AWS managed policy"
      submit="Attach"
      disabled={name === ''}
      onClose={onClose}
      run={() =>
        client
          .call('sso-admin', 'AttachManagedPolicyToPermissionSet', { ...input, ManagedPolicyArn })
          .then(() => onDone())
      }
    >
      <FormField label="Name or ARN">
        <Input value={name} placeholder="ReadOnlyAccess" autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </Dialog>
  )
}

const STARTING = '{\n  "Version": "2012-10-17",\n  "Statement": []\n}'

function EditInline({ input, text, onClose, onDone }: ChangeProps & { readonly text: string | undefined }) {
  const { client } = useMerlon()
  const [edited, setEdited] = useState(text === undefined ? STARTING : formatted(text))
  return (
    <Dialog
      title="Inline policy"
      submit="Save"
      size="large"
      disabled={!isJson(edited)}
      onClose={onClose}
      run={() =>
        client
          .call('sso-admin', 'PutInlinePolicyToPermissionSet', { ...input, InlinePolicy: edited })
          .then(() => onDone())
      }
    >
      <PolicyEditor value={edited} onChange={setEdited} kind="identity" label="Inline policy" />
    </Dialog>
  )
}
