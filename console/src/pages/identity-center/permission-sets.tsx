/** The permission sets of the instance. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { type Center, loadPermissionSets, type PermissionSet } from './center.ts'
import { CenterPage } from './center-page.tsx'

export default function PermissionSets() {
  return (
    <CenterPage
      title="Permission sets"
      description="Policies that become a role in each account in which they are assigned."
    >
      {(center) => <List center={center} />}
    </CenterPage>
  )
}

function List({ center }: { readonly center: Center }) {
  const { dialog, open } = useDialog()
  const sets = useLoaded(`permission sets of ${center.instance}`, (client) => loadPermissionSets(client, center))
  return (
    <>
      <ResourceTable<PermissionSet>
        title="Permission sets"
        noun="permission set"
        loaded={sets}
        idOf={({ PermissionSetArn }) => PermissionSetArn!}
        columns={[
          {
            header: 'Name',
            value: ({ Name }) => Name,
            href: ({ PermissionSetArn }) => hrefOf(['identity-center', 'permission-sets', PermissionSetArn!]),
          },
          { header: 'Description', value: ({ Description }) => Description },
          { header: 'Session', value: ({ SessionDuration }) => durationShown(SessionDuration) },
          { header: 'Created', value: ({ CreatedDate }) => CreatedDate },
        ]}
        actions={() => (
          <Button variant="primary" onClick={() => open((close) => <Create center={center} onClose={close} />)}>
            Create permission set
          </Button>
        )}
      />
      {dialog}
    </>
  )
}

/** `PT1H30M` as `1 h 30 min` */
export function durationShown(duration = 'PT1H'): string {
  const [, hours, minutes] = /^PT(?:(\d+)H)?(?:(\d+)M)?/.exec(duration) ?? []
  return [hours && `${hours} h`, minutes && `${minutes} min`].filter(Boolean).join(' ') || duration
}

function Create({ center, onClose }: { readonly center: Center; readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const run = async () => {
    const { PermissionSet: made } = await client.call('sso-admin', 'CreatePermissionSet', {
      InstanceArn: center.instance,
      Name: name,
      ...(description !== '' && { Description: description }),
    })
    navigate(['identity-center', 'permission-sets', made!.PermissionSetArn!])
  }
  return (
    <Dialog title="Create permission set" submit="Create" onClose={onClose} run={run} disabled={name === ''}>
      <FormField label="Name" constraintText="At most 32 letters, digits and +=,.@-">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Description">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
    </Dialog>
  )
}
