/** The secrets of a Region. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import Textarea from '@cloudscape-design/components/textarea'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeFromNow } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'

export default function Secrets() {
  const { dialog, open } = useDialog()
  const secrets = useLoaded('secrets', (client) =>
    client.list('secretsmanager', 'ListSecrets', { IncludePlannedDeletion: true }, 'SecretList'),
  )
  return (
    <Page title="Secrets" description="Passwords, keys and tokens, encrypted, with their versions.">
      <ResourceTable
        title="Secrets"
        noun="secret"
        loaded={secrets}
        idOf={({ Name }) => Name!}
        columns={[
          { header: 'Name', value: ({ Name }) => Name, href: ({ Name }) => hrefOf(['secrets', Name!]) },
          { header: 'Description', value: ({ Description }) => Description },
          {
            header: 'Rotation',
            value: ({ RotationEnabled }) => RotationEnabled,
            cell: ({ RotationEnabled, NextRotationDate, DeletedDate }) =>
              DeletedDate ? (
                <StatusIndicator type="warning">To be deleted</StatusIndicator>
              ) : RotationEnabled ? (
                <StatusIndicator>Next {timeFromNow(NextRotationDate)}</StatusIndicator>
              ) : (
                <StatusIndicator type="stopped">Off</StatusIndicator>
              ),
          },
          {
            header: 'Last changed',
            value: ({ LastChangedDate }) => LastChangedDate,
            cell: ({ LastChangedDate }) => timeFromNow(LastChangedDate),
          },
          {
            header: 'Last read',
            value: ({ LastAccessedDate }) => LastAccessedDate,
            cell: ({ LastAccessedDate }) => timeFromNow(LastAccessedDate),
          },
        ]}
        actions={() => (
          <Button variant="primary" onClick={() => open((close) => <CreateSecret onClose={close} />)}>
            Create secret
          </Button>
        )}
      />
      {dialog}
    </Page>
  )
}

function CreateSecret({ onClose }: { readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [value, setValue] = useState('')
  const run = async () => {
    await client.call('secretsmanager', 'CreateSecret', {
      Name: name,
      SecretString: value,
      ...(description !== '' && { Description: description }),
    })
    navigate(['secrets', name])
  }
  return (
    <Dialog
      title="Create secret"
      submit="Create secret"
      onClose={onClose}
      run={run}
      disabled={name === '' || value === ''}
    >
      <FormField label="Name" description="Slashes may group names, as in prod/orders/database.">
        <Input value={name} autoFocus autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Description">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <FormField label="Value" description="Text or JSON.">
        <Textarea
          value={value}
          rows={5}
          spellcheck={false}
          autoComplete={false}
          onChange={({ detail }) => setValue(detail.value)}
        />
      </FormField>
    </Dialog>
  )
}
