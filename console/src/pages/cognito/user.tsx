/** One user of a pool: state, groups, sign-in events, and what an administrator can do. */
import Button from '@cloudscape-design/components/button'
import ButtonDropdown from '@cloudscape-design/components/button-dropdown'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { useState } from 'react'
import type { Output } from '../../api/sdk.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Fields, Muted } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'

interface Props {
  readonly pool: string
  readonly name: string
}

const STATUSES: Readonly<Record<string, string>> = {
  CONFIRMED: 'Confirmed',
  UNCONFIRMED: 'Not confirmed yet',
  FORCE_CHANGE_PASSWORD: 'Has a temporary password',
  RESET_REQUIRED: 'Has to reset the password',
  EXTERNAL_PROVIDER: 'Signs in elsewhere',
  ARCHIVED: 'Archived',
}

export function UserState({
  isEnabled,
  status = '',
}: {
  readonly isEnabled: boolean
  readonly status: string | undefined
}) {
  if (!isEnabled) return <StatusIndicator type="stopped">Disabled</StatusIndicator>
  const isWhole = status === 'CONFIRMED' || status === 'EXTERNAL_PROVIDER'
  return <StatusIndicator type={isWhole ? 'success' : 'pending'}>{STATUSES[status] ?? status}</StatusIndicator>
}

export function UserPage({ pool, name }: Props) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const input = { UserPoolId: pool, Username: name }
  const loaded = useLoaded(`user ${name} of ${pool}`, (from) => from.call('cognito-idp', 'AdminGetUser', input))
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner size="large" />
  const { Enabled = true, UserStatus, UserAttributes = [], UserMFASettingList = [] } = loaded.data
  const act = (work: Promise<unknown>, text: string) =>
    work.then(
      () => {
        say(text)
        loaded.reload()
      },
      (error: Error) => say(error.message, 'error'),
    )
  const confirmed = (title: string, submit: string, text: string, run: () => Promise<unknown>, done: string) =>
    open((close) => (
      <Dialog
        title={title}
        submit={submit}
        onClose={close}
        run={() =>
          run()
            .then(() => say(done))
            .then(loaded.reload)
        }
      >
        {text}
      </Dialog>
    ))
  const choose = (action: string) => {
    if (action === 'enable')
      return void act(client.call('cognito-idp', 'AdminEnableUser', input), `${name} is enabled.`)
    if (action === 'disable')
      return confirmed(
        `Disable ${name}?`,
        'Disable',
        'They cannot sign in, and their refresh tokens are revoked. Access tokens keep working until they expire.',
        () => client.call('cognito-idp', 'AdminDisableUser', input),
        `${name} is disabled.`,
      )
    if (action === 'reset')
      return confirmed(
        `Reset the password of ${name}?`,
        'Reset',
        'They get a code by e-mail or text message, with which they choose another password.',
        () => client.call('cognito-idp', 'AdminResetUserPassword', input),
        'The code was sent.',
      )
    if (action === 'out')
      return confirmed(
        `Sign ${name} out everywhere?`,
        'Sign out',
        'All their tokens are revoked.',
        () => client.call('cognito-idp', 'AdminUserGlobalSignOut', input),
        `${name} is signed out.`,
      )
    open((close) => (
      <Dialog
        title={`Delete ${name}?`}
        submit="Delete"
        confirm={name}
        onClose={close}
        run={async () => {
          await client.call('cognito-idp', 'AdminDeleteUser', input)
          navigate(['user-pools', pool])
        }}
      >
        The user and all attributes are deleted for good.
      </Dialog>
    ))
  }
  return (
    <Page
      title={name}
      trail={[
        ['User pools', ['user-pools']],
        [pool, ['user-pools', pool]],
      ]}
      actions={
        <ButtonDropdown
          items={[
            Enabled ? { id: 'disable', text: 'Disable' } : { id: 'enable', text: 'Enable' },
            { id: 'reset', text: 'Reset password' },
            { id: 'out', text: 'Sign out everywhere' },
            { id: 'delete', text: 'Delete' },
          ]}
          onItemClick={({ detail }) => choose(detail.id)}
        >
          Actions
        </ButtonDropdown>
      }
    >
      <Container>
        <SpaceBetween size="m">
          <Fields
            columns={4}
            items={{
              State: <UserState isEnabled={Enabled} status={UserStatus} />,
              'Second factors': UserMFASettingList.join(', ') || 'None',
              Created: timeShown(loaded.data.UserCreateDate),
              Changed: timeFromNow(loaded.data.UserLastModifiedDate),
              ...Object.fromEntries(UserAttributes.map(({ Name, Value }) => [Name!, Value])),
            }}
          />
        </SpaceBetween>
      </Container>
      <UserGroups pool={pool} name={name} />
      <SignIns pool={pool} name={name} />
      {dialog}
    </Page>
  )
}

function UserGroups({ pool, name }: Props) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const input = { UserPoolId: pool, Username: name }
  const groups = useLoaded(`groups of ${name}`, (from) =>
    from.list('cognito-idp', 'AdminListGroupsForUser', input, 'Groups'),
  )
  return (
    <>
      <ResourceTable
        title="Groups"
        noun="group"
        loaded={groups}
        idOf={({ GroupName }) => GroupName!}
        selectable="single"
        columns={[
          { header: 'Name', value: ({ GroupName }) => GroupName },
          { header: 'Role', value: ({ RoleArn }) => RoleArn },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title={`Remove from ${selected!.GroupName}?`}
                    submit="Remove"
                    onClose={close}
                    run={() =>
                      client
                        .call('cognito-idp', 'AdminRemoveUserFromGroup', { ...input, GroupName: selected!.GroupName! })
                        .then(groups.reload)
                    }
                  >
                    Tokens that were issued keep the group until they expire.
                  </Dialog>
                ))
              }
            >
              Remove
            </Button>
            <Button
              onClick={() => open((close) => <AddGroup {...{ pool, name }} onClose={close} onDone={groups.reload} />)}
            >
              Add to group
            </Button>
          </>
        )}
      />
      {dialog}
    </>
  )
}

function AddGroup({
  pool,
  name,
  onClose,
  onDone,
}: Props & { readonly onClose: () => void; readonly onDone: () => void }) {
  const { client } = useMerlon()
  const [group, setGroup] = useState<string>()
  const groups = useLoaded(`groups of ${pool}`, (from) =>
    from.list('cognito-idp', 'ListGroups', { UserPoolId: pool }, 'Groups'),
  )
  return (
    <Dialog
      title={`Add ${name} to a group`}
      submit="Add"
      disabled={group === undefined}
      onClose={onClose}
      run={() =>
        client
          .call('cognito-idp', 'AdminAddUserToGroup', { UserPoolId: pool, Username: name, GroupName: group! })
          .then(onDone)
      }
    >
      <FormField label="Group">
        <Select
          selectedOption={group === undefined ? null : { value: group, label: group }}
          options={(groups.data ?? []).map(({ GroupName }) => ({ value: GroupName!, label: GroupName! }))}
          statusType={groups.loading ? 'loading' : 'finished'}
          placeholder="Choose a group"
          empty="The pool has no groups."
          onChange={({ detail }) => setGroup(detail.selectedOption.value)}
        />
      </FormField>
    </Dialog>
  )
}

type SignIn = NonNullable<Output<'cognito-idp', 'AdminListUserAuthEvents'>['AuthEvents']>[number]

/** `AccountTakeover, High`; a password of the operator's list is named, too. */
function riskOf({ EventRisk: risk }: SignIn): string | undefined {
  const parts = [
    risk?.RiskDecision,
    risk?.RiskLevel,
    risk?.CompromisedCredentialsDetected ? 'leaked password' : undefined,
  ]
  return parts.filter((each) => each !== undefined).join(', ')
}

function SignIns({ pool, name }: Props) {
  const events = useLoaded(`sign-ins of ${name}`, async (client) => {
    const { UserPool } = await client.call('cognito-idp', 'DescribeUserPool', { UserPoolId: pool })
    const isRecorded = (UserPool?.UserPoolAddOns?.AdvancedSecurityMode ?? 'OFF') !== 'OFF'
    const input = { UserPoolId: pool, Username: name }
    return {
      isRecorded,
      all: isRecorded ? await client.list('cognito-idp', 'AdminListUserAuthEvents', input, 'AuthEvents') : [],
    }
  })
  if (events.data?.isRecorded === false)
    return <Muted>Sign-ins are recorded here once threat protection of the pool is on.</Muted>
  return (
    <ResourceTable<SignIn>
      title="Sign-ins"
      noun="event"
      loaded={{ ...events, data: events.data?.all }}
      idOf={({ EventId }) => EventId!}
      columns={[
        { header: 'Event', value: ({ EventType }) => EventType },
        {
          header: 'Result',
          value: ({ EventResponse }) => EventResponse,
          cell: ({ EventResponse }) => (
            <StatusIndicator type={EventResponse === 'Pass' ? 'success' : 'warning'}>{EventResponse}</StatusIndicator>
          ),
        },
        {
          header: 'From',
          value: ({ EventContextData: from }) =>
            [from?.IpAddress, from?.Country].filter((each) => each !== undefined).join(', '),
        },
        { header: 'Device', value: ({ EventContextData }) => EventContextData?.DeviceName },
        { header: 'Risk', value: riskOf },
        { header: 'Time', value: ({ CreationDate }) => CreationDate },
      ]}
    />
  )
}
