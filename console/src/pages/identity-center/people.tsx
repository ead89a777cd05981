/** The people and groups of the directory. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import Tabs from '@cloudscape-design/components/tabs'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { type Center, type Group, loadGroups, loadPeople, type Person } from './center.ts'
import { CenterPage } from './center-page.tsx'

export default function PeopleAndGroups() {
  return (
    <CenterPage title="People and groups" description="The directory of IAM Identity Center.">
      {(center) => (
        <Tabs
          tabs={[
            { id: 'people', label: 'People', content: <People center={center} /> },
            { id: 'groups', label: 'Groups', content: <Groups center={center} /> },
          ]}
        />
      )}
    </CenterPage>
  )
}

interface Props {
  readonly center: Center
}

function People({ center }: Props) {
  const { dialog, open } = useDialog()
  const people = useLoaded(`people of ${center.store}`, (client) => loadPeople(client, center))
  return (
    <>
      <ResourceTable<Person>
        title="People"
        noun="person"
        loaded={people}
        idOf={({ UserId }) => UserId!}
        empty="There are no people yet."
        columns={[
          {
            header: 'User name',
            value: ({ UserName }) => UserName,
            href: ({ UserId }) => hrefOf(['identity-center', 'people', 'user', UserId!]),
          },
          { header: 'Name', value: ({ DisplayName }) => DisplayName },
          { header: 'E-mail', value: ({ Emails }) => Emails?.[0]?.Value },
          {
            header: 'Status',
            value: ({ UserStatus }) => UserStatus,
            cell: ({ UserStatus }) =>
              UserStatus === 'DISABLED' ? (
                <StatusIndicator type="stopped">Disabled</StatusIndicator>
              ) : (
                <StatusIndicator>Enabled</StatusIndicator>
              ),
          },
        ]}
        actions={() => (
          <Button variant="primary" onClick={() => open((close) => <CreatePerson center={center} onClose={close} />)}>
            Create person
          </Button>
        )}
      />
      {dialog}
    </>
  )
}

function CreatePerson({ center, onClose }: Props & { readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [userName, setUserName] = useState('')
  const [given, setGiven] = useState('')
  const [family, setFamily] = useState('')
  const [email, setEmail] = useState('')
  const run = async () => {
    const { UserId } = await client.call('identitystore', 'CreateUser', {
      IdentityStoreId: center.store,
      UserName: userName,
      DisplayName: `${given} ${family}`.trim(),
      Name: { GivenName: given, FamilyName: family },
      ...(email !== '' && { Emails: [{ Value: email, Type: 'work', Primary: true }] }),
    })
    navigate(['identity-center', 'people', 'user', UserId!])
  }
  const isReady = userName !== '' && given !== '' && family !== ''
  return (
    <Dialog title="Create person" submit="Create" onClose={onClose} run={run} disabled={!isReady}>
      <FormField label="User name">
        <Input value={userName} autoFocus onChange={({ detail }) => setUserName(detail.value)} />
      </FormField>
      <FormField label="First name">
        <Input value={given} onChange={({ detail }) => setGiven(detail.value)} />
      </FormField>
      <FormField label="Last name">
        <Input value={family} onChange={({ detail }) => setFamily(detail.value)} />
      </FormField>
      <FormField label="E-mail">
        <Input value={email} type="email" onChange={({ detail }) => setEmail(detail.value)} />
      </FormField>
    </Dialog>
  )
}

function Groups({ center }: Props) {
  const { dialog, open } = useDialog()
  const groups = useLoaded(`groups of ${center.store}`, (client) => loadGroups(client, center))
  return (
    <>
      <ResourceTable<Group>
        title="Groups"
        noun="group"
        loaded={groups}
        idOf={({ GroupId }) => GroupId!}
        columns={[
          {
            header: 'Name',
            value: ({ DisplayName }) => DisplayName,
            href: ({ GroupId }) => hrefOf(['identity-center', 'people', 'group', GroupId!]),
          },
          { header: 'Description', value: ({ Description }) => Description },
        ]}
        actions={() => (
          <Button variant="primary" onClick={() => open((close) => <CreateGroup center={center} onClose={close} />)}>
            Create group
          </Button>
        )}
      />
      {dialog}
    </>
  )
}

function CreateGroup({ center, onClose }: Props & { readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  const run = async () => {
    const input = { IdentityStoreId: center.store, DisplayName: name }
    const { GroupId } = await client.call('identitystore', 'CreateGroup', input)
    navigate(['identity-center', 'people', 'group', GroupId!])
  }
  return (
    <Dialog title="Create group" submit="Create" onClose={onClose} run={run} disabled={name === ''}>
      <FormField label="Name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </Dialog>
  )
}
