/** One group: its permissions and its members. */
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Select from '@cloudscape-design/components/select'
import Tabs from '@cloudscape-design/components/tabs'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { HolderPolicies } from './shared.tsx'

export default function Group({ rest: [name = ''] }: { readonly rest: readonly string[] }) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const loaded = useLoaded(
    `group ${name}`,
    async (from) => (await from.call('iam', 'GetGroup', { GroupName: name })).Group!,
  )
  const members = useLoaded(`members of ${name}`, (from) => from.list('iam', 'GetGroup', { GroupName: name }, 'Users'))
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  return (
    <Page title={name} trail={[['Groups', ['iam', 'groups']]]}>
      <Container>
        <Fields
          items={{
            ARN: loaded.data?.Arn && <Copyable text={loaded.data.Arn} />,
            Created: timeShown(loaded.data?.CreateDate),
          }}
        />
      </Container>
      <Tabs
        tabs={[
          { id: 'permissions', label: 'Permissions', content: <HolderPolicies kind="group" name={name} /> },
          {
            id: 'members',
            label: 'Members',
            content: (
              <ResourceTable
                title="Members"
                noun="user"
                loaded={members}
                idOf={({ UserName }) => UserName!}
                selectable="single"
                columns={[
                  {
                    header: 'User',
                    value: ({ UserName }) => UserName,
                    href: ({ UserName }) => hrefOf(['iam', 'users', UserName!]),
                  },
                ]}
                actions={([selected]) => (
                  <>
                    <Button
                      disabled={!selected}
                      onClick={() =>
                        open((close) => (
                          <Dialog
                            title={`Remove ${selected!.UserName}?`}
                            submit="Remove"
                            onClose={close}
                            run={async () => {
                              await client.call('iam', 'RemoveUserFromGroup', {
                                GroupName: name,
                                UserName: selected!.UserName!,
                              })
                              members.reload()
                            }}
                          />
                        ))
                      }
                    >
                      Remove
                    </Button>
                    <Button
                      variant="primary"
                      onClick={() =>
                        open((close) => <AddMember group={name} onClose={close} onDone={members.reload} />)
                      }
                    >
                      Add user
                    </Button>
                  </>
                )}
              />
            ),
          },
        ]}
      />
      {dialog}
    </Page>
  )
}

function AddMember({
  group,
  onClose,
  onDone,
}: {
  readonly group: string
  readonly onClose: () => void
  readonly onDone: () => void
}) {
  const { client } = useMerlon()
  const users = useLoaded('users', (from) => from.list('iam', 'ListUsers', {}, 'Users'))
  const [user, setUser] = useState<string>()
  const run = async () => {
    await client.call('iam', 'AddUserToGroup', { GroupName: group, UserName: user! })
    onDone()
  }
  return (
    <Dialog title={`Add a user to ${group}`} submit="Add" onClose={onClose} run={run} disabled={!user}>
      <FormField label="User">
        <Select
          selectedOption={user === undefined ? null : { value: user, label: user }}
          options={(users.data ?? []).map(({ UserName }) => ({ value: UserName!, label: UserName! }))}
          statusType={users.loading ? 'loading' : 'finished'}
          filteringType="auto"
          placeholder="Choose a user"
          onChange={({ detail }) => setUser(detail.selectedOption.value)}
        />
      </FormField>
    </Dialog>
  )
}
