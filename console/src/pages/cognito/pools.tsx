/** The user pools of a Region. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'

export default function Pools() {
  const { dialog, open } = useDialog()
  const pools = useLoaded('user pools', (client) =>
    client.list('cognito-idp', 'ListUserPools', { MaxResults: 60 }, 'UserPools'),
  )
  return (
    <Page title="User pools" description="Directories of the people who use your applications.">
      <ResourceTable
        title="User pools"
        noun="user pool"
        loaded={pools}
        idOf={({ Id }) => Id!}
        columns={[
          { header: 'Name', value: ({ Name }) => Name, href: ({ Id }) => hrefOf(['user-pools', Id!]) },
          { header: 'ID', value: ({ Id }) => Id },
          { header: 'Created', value: ({ CreationDate }) => CreationDate },
        ]}
        actions={() => (
          <Button variant="primary" onClick={() => open((close) => <CreatePool onClose={close} />)}>
            Create user pool
          </Button>
        )}
      />
      {dialog}
    </Page>
  )
}

function CreatePool({ onClose }: { readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  const run = async () => {
    const { UserPool } = await client.call('cognito-idp', 'CreateUserPool', {
      PoolName: name,
      AutoVerifiedAttributes: ['email'],
    })
    navigate(['user-pools', UserPool!.Id!])
  }
  return (
    <Dialog title="Create user pool" submit="Create" onClose={onClose} run={run} disabled={name === ''}>
      <FormField label="Name" description="E-mail addresses are verified by a code. Other settings can change later.">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </Dialog>
  )
}
