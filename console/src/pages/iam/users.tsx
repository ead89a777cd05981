/** The users of the account. */
import Button from '@cloudscape-design/components/button'
import Checkbox from '@cloudscape-design/components/checkbox'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import { useState } from 'react'
import type { Client } from '../../api/client.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { deleteInline, detach } from './shared.tsx'

export default function Users() {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const users = useLoaded('users', (from) => from.list('iam', 'ListUsers', {}, 'Users'))
  const remove = async (name: string) => {
    await deleteUser(client, name)
    say(`User ${name} was deleted.`)
    users.reload()
  }
  return (
    <Page title="Users" description="People and programs with an identity of their own in this account.">
      <ResourceTable
        title="Users"
        noun="user"
        loaded={users}
        idOf={({ UserName }) => UserName!}
        selectable="single"
        columns={[
          {
            header: 'Name',
            value: ({ UserName }) => UserName,
            href: ({ UserName }) => hrefOf(['iam', 'users', UserName!]),
          },
          { header: 'Path', value: ({ Path }) => Path },
          { header: 'Created', value: ({ CreateDate }) => CreateDate },
          { header: 'Password last used', value: ({ PasswordLastUsed }) => PasswordLastUsed },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() => {
                const name = selected!.UserName!
                open((close) => (
                  <Dialog
                    title={`Delete ${name}?`}
                    submit="Delete"
                    onClose={close}
                    confirm={name}
                    run={() => remove(name)}
                  >
                    The user's access keys, password, MFA devices, inline policies and memberships are deleted as well.
                  </Dialog>
                ))
              }}
            >
              Delete
            </Button>
            <Button variant="primary" onClick={() => open((close) => <CreateUser onClose={close} />)}>
              Create user
            </Button>
          </>
        )}
      />
      {dialog}
    </Page>
  )
}

function CreateUser({ onClose }: { readonly onClose: () => void }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const [name, setName] = useState('')
  const [hasPassword, setHasPassword] = useState(false)
  const [password, setPassword] = useState('')
  const run = async () => {
    await client.call('iam', 'CreateUser', { UserName: name })
    if (hasPassword)
      await client.call('iam', 'CreateLoginProfile', {
        UserName: name,
        Password: password,
        PasswordResetRequired: true,
      })
    say(`User ${name} was created.`)
    navigate(['iam', 'users', name])
  }
  return (
    <Dialog
      title="Create user"
      submit="Create user"
      onClose={onClose}
      run={run}
      disabled={name === '' || (hasPassword && password === '')}
    >
      <FormField label="Name" constraintText="Letters, digits and + = , . @ - _">
        <Input value={name} autoFocus autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <Checkbox checked={hasPassword} onChange={({ detail }) => setHasPassword(detail.checked)}>
        The user signs in to this console
      </Checkbox>
      {hasPassword && (
        <FormField label="First password" description="The user must choose another one at the first sign-in.">
          <Input
            type="password"
            autoComplete="new-password"
            value={password}
            onChange={({ detail }) => setPassword(detail.value)}
          />
        </FormField>
      )}
    </Dialog>
  )
}

/** IAM refuses to delete a user that has something: that goes first. */
export async function deleteUser(client: Client, name: string): Promise<void> {
  const user = { UserName: name }
  const [keys, groups, attached, inline, devices] = await Promise.all([
    client.list('iam', 'ListAccessKeys', user, 'AccessKeyMetadata'),
    client.list('iam', 'ListGroupsForUser', user, 'Groups'),
    client.list('iam', 'ListAttachedUserPolicies', user, 'AttachedPolicies'),
    client.list('iam', 'ListUserPolicies', user, 'PolicyNames'),
    client.list('iam', 'ListMFADevices', user, 'MFADevices'),
  ])
  for (const { AccessKeyId } of keys)
    await client.call('iam', 'DeleteAccessKey', { ...user, AccessKeyId: AccessKeyId! })
  for (const { GroupName } of groups)
    await client.call('iam', 'RemoveUserFromGroup', { ...user, GroupName: GroupName! })
  for (const { PolicyArn } of attached) await detach(client, 'user', name, PolicyArn!)
  for (const policy of inline) await deleteInline(client, 'user', name, policy)
  for (const { SerialNumber } of devices)
    await client.call('iam', 'DeactivateMFADevice', { ...user, SerialNumber: SerialNumber! })
  await client.call('iam', 'DeleteLoginProfile', user).catch((error: { readonly code?: string }) => {
    if (error.code !== 'NoSuchEntity') throw error
  })
  await client.call('iam', 'DeleteUser', user)
}
