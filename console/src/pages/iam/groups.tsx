/** The groups of the account. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { deleteInline, detach } from './shared.tsx'

export default function Groups() {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const groups = useLoaded('groups', (from) => from.list('iam', 'ListGroups', {}, 'Groups'))
  const remove = async (name: string) => {
    const group = { GroupName: name }
    const members = await client.list('iam', 'GetGroup', group, 'Users')
    for (const { UserName } of members)
      await client.call('iam', 'RemoveUserFromGroup', { ...group, UserName: UserName! })
    for (const { PolicyArn } of await client.list('iam', 'ListAttachedGroupPolicies', group, 'AttachedPolicies'))
      await detach(client, 'group', name, PolicyArn!)
    for (const policy of await client.list('iam', 'ListGroupPolicies', group, 'PolicyNames'))
      await deleteInline(client, 'group', name, policy)
    await client.call('iam', 'DeleteGroup', group)
    say(`Group ${name} was deleted.`)
    groups.reload()
  }
  return (
    <Page title="Groups" description="Users that share permissions.">
      <ResourceTable
        title="Groups"
        noun="group"
        loaded={groups}
        idOf={({ GroupName }) => GroupName!}
        selectable="single"
        columns={[
          {
            header: 'Name',
            value: ({ GroupName }) => GroupName,
            href: ({ GroupName }) => hrefOf(['iam', 'groups', GroupName!]),
          },
          { header: 'Path', value: ({ Path }) => Path },
          { header: 'Created', value: ({ CreateDate }) => CreateDate },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() => {
                const name = selected!.GroupName!
                open((close) => (
                  <Dialog
                    title={`Delete ${name}?`}
                    submit="Delete"
                    confirm={name}
                    onClose={close}
                    run={() => remove(name)}
                  >
                    Its users lose what the group allows.
                  </Dialog>
                ))
              }}
            >
              Delete
            </Button>
            <Button variant="primary" onClick={() => open((close) => <CreateGroup onClose={close} />)}>
              Create group
            </Button>
          </>
        )}
      />
      {dialog}
    </Page>
  )
}

function CreateGroup({ onClose }: { readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  const run = async () => {
    await client.call('iam', 'CreateGroup', { GroupName: name })
    navigate(['iam', 'groups', name])
  }
  return (
    <Dialog title="Create group" submit="Create group" onClose={onClose} run={run} disabled={name === ''}>
      <FormField label="Name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </Dialog>
  )
}
