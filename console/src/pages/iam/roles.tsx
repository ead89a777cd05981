/** The roles of the account. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { jsonShown } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { isJson, PolicyEditor } from '../../ui/policy-editor.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeFromNow } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { deleteInline, detach } from './shared.tsx'

export default function Roles() {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const roles = useLoaded('roles', (from) => from.list('iam', 'ListRoles', {}, 'Roles'))
  const remove = async (name: string) => {
    const role = { RoleName: name }
    for (const { PolicyArn } of await client.list('iam', 'ListAttachedRolePolicies', role, 'AttachedPolicies'))
      await detach(client, 'role', name, PolicyArn!)
    for (const policy of await client.list('iam', 'ListRolePolicies', role, 'PolicyNames'))
      await deleteInline(client, 'role', name, policy)
    await client.call('iam', 'DeleteRole', role)
    say(`Role ${name} was deleted.`)
    roles.reload()
  }
  return (
    <Page title="Roles" description="Permissions that users, services and other accounts take on for a time.">
      <ResourceTable
        title="Roles"
        noun="role"
        loaded={roles}
        idOf={({ RoleName }) => RoleName!}
        selectable="single"
        columns={[
          {
            header: 'Name',
            value: ({ RoleName }) => RoleName,
            href: ({ RoleName }) => hrefOf(['iam', 'roles', RoleName!]),
          },
          { header: 'Description', value: ({ Description }) => Description },
          {
            header: 'Last used',
            value: ({ RoleLastUsed }) => RoleLastUsed?.LastUsedDate,
            cell: ({ RoleLastUsed }) => timeFromNow(RoleLastUsed?.LastUsedDate),
          },
          { header: 'Created', value: ({ CreateDate }) => CreateDate },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() => {
                const name = selected!.RoleName!
                open((close) => (
                  <Dialog
                    title={`Delete ${name}?`}
                    submit="Delete"
                    confirm={name}
                    onClose={close}
                    run={() => remove(name)}
                  >
                    Sessions of the role end at once.
                  </Dialog>
                ))
              }}
            >
              Delete
            </Button>
            <Button variant="primary" onClick={() => open((close) => <CreateRole onClose={close} />)}>
              Create role
            </Button>
          </>
        )}
      />
      {dialog}
    </Page>
  )
}

function CreateRole({ onClose }: { readonly onClose: () => void }) {
  const { client, acting } = useMerlon()
  const [name, setName] = useState('')
  const [trust, setTrust] = useState(() =>
    jsonShown({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${acting.account}:root` }, Action: 'sts:AssumeRole' },
      ],
    }),
  )
  const run = async () => {
    await client.call('iam', 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: trust })
    navigate(['iam', 'roles', name])
  }
  return (
    <Dialog
      title="Create role"
      submit="Create role"
      size="large"
      onClose={onClose}
      run={run}
      disabled={name === '' || !isJson(trust)}
    >
      <FormField label="Name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Trust policy" description="The principals that may assume the role.">
        <PolicyEditor value={trust} onChange={setTrust} kind="trust" label="Trust policy" rows={12} />
      </FormField>
    </Dialog>
  )
}
