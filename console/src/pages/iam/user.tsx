/** One user: what it may do, how it signs in, and its keys. */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import Tabs from '@cloudscape-design/components/tabs'
import { useState } from 'react'
import type { Output } from '../../api/sdk.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { Tags } from '../../ui/tags.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { Denials } from '../cloudtrail/denials.tsx'
import { HolderPolicies } from './shared.tsx'

export default function User({ rest: [name = ''] }: { readonly rest: readonly string[] }) {
  const { client } = useMerlon()
  const loaded = useLoaded(
    `user ${name}`,
    async (from) => (await from.call('iam', 'GetUser', { UserName: name })).User!,
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  const user = loaded.data
  return (
    <Page
      title={name}
      trail={[['Users', ['iam', 'users']]]}
      actions={<Button href={hrefOf(['iam', 'what-can'], { principal: user?.Arn ?? '' })}>What can they do?</Button>}
    >
      <Container>
        <Fields
          items={{
            ARN: user?.Arn && <Copyable text={user.Arn} />,
            Created: timeShown(user?.CreateDate),
            'Password last used': timeFromNow(user?.PasswordLastUsed),
            'Permissions boundary': user?.PermissionsBoundary?.PermissionsBoundaryArn,
          }}
        />
      </Container>
      <Tabs
        tabs={[
          { id: 'permissions', label: 'Permissions', content: <HolderPolicies kind="user" name={name} /> },
          { id: 'groups', label: 'Groups', content: <Groups name={name} /> },
          { id: 'credentials', label: 'Sign-in and keys', content: <Credentials name={name} /> },
          { id: 'denials', label: 'Recent denials', content: <Denials userName={name} /> },
          {
            id: 'tags',
            label: 'Tags',
            content: (
              <Tags
                tags={(user?.Tags ?? []).map(({ Key, Value }) => ({ key: Key!, value: Value! }))}
                save={async (added, removed) => {
                  if (added.length > 0)
                    await client.call('iam', 'TagUser', {
                      UserName: name,
                      Tags: added.map(({ key, value }) => ({ Key: key, Value: value })),
                    })
                  if (removed.length > 0)
                    await client.call('iam', 'UntagUser', { UserName: name, TagKeys: [...removed] })
                  loaded.reload()
                }}
              />
            ),
          },
        ]}
      />
    </Page>
  )
}

function Groups({ name }: { readonly name: string }) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const groups = useLoaded(`groups of ${name}`, (from) =>
    from.list('iam', 'ListGroupsForUser', { UserName: name }, 'Groups'),
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
          {
            header: 'Group',
            value: ({ GroupName }) => GroupName,
            href: ({ GroupName }) => hrefOf(['iam', 'groups', GroupName!]),
          },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title={`Remove ${name} from ${selected!.GroupName}?`}
                    submit="Remove"
                    onClose={close}
                    run={async () => {
                      await client.call('iam', 'RemoveUserFromGroup', {
                        UserName: name,
                        GroupName: selected!.GroupName!,
                      })
                      groups.reload()
                    }}
                  />
                ))
              }
            >
              Remove
            </Button>
            <Button
              variant="primary"
              onClick={() => open((close) => <JoinGroup name={name} onClose={close} onDone={groups.reload} />)}
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

function JoinGroup({
  name,
  onClose,
  onDone,
}: {
  readonly name: string
  readonly onClose: () => void
  readonly onDone: () => void
}) {
  const { client } = useMerlon()
  const [group, setGroup] = useState('')
  return (
    <Dialog
      title={`Add ${name} to a group`}
      submit="Add"
      onClose={onClose}
      disabled={group === ''}
      run={async () => {
        await client.call('iam', 'AddUserToGroup', { UserName: name, GroupName: group })
        onDone()
      }}
    >
      <FormField label="Group">
        <Input value={group} autoFocus onChange={({ detail }) => setGroup(detail.value)} />
      </FormField>
    </Dialog>
  )
}

function Credentials({ name }: { readonly name: string }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const keys = useLoaded(`keys of ${name}`, (from) =>
    from.list('iam', 'ListAccessKeys', { UserName: name }, 'AccessKeyMetadata'),
  )
  const devices = useLoaded(`MFA of ${name}`, (from) =>
    from.list('iam', 'ListMFADevices', { UserName: name }, 'MFADevices'),
  )
  const login = useLoaded(`login of ${name}`, (from) =>
    from.call('iam', 'GetLoginProfile', { UserName: name }).then(
      ({ LoginProfile }) => LoginProfile,
      (error: { readonly code?: string }) => {
        if (error.code === 'NoSuchEntity') return undefined
        throw error
      },
    ),
  )
  const done = (text: string) => {
    say(text)
    keys.reload()
    devices.reload()
    login.reload()
  }
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                {login.data && (
                  <Button
                    onClick={() =>
                      open((close) => (
                        <Dialog
                          title={`Delete the password of ${name}?`}
                          submit="Delete"
                          onClose={close}
                          run={async () => {
                            await client.call('iam', 'DeleteLoginProfile', { UserName: name })
                            done('The password was deleted.')
                          }}
                        >
                          {name} can no longer sign in to the console. Access keys keep working.
                        </Dialog>
                      ))
                    }
                  >
                    Delete password
                  </Button>
                )}
                <Button
                  onClick={() =>
                    open((close) => <SetPassword name={name} isNew={!login.data} onClose={close} onDone={done} />)
                  }
                >
                  {login.data ? 'Change password' : 'Set password'}
                </Button>
              </SpaceBetween>
            }
          >
            Console sign-in
          </Header>
        }
      >
        {login.error ? (
          <ErrorAlert error={login.error} />
        ) : login.data ? (
          <StatusIndicator type="success">
            Can sign in{login.data.PasswordResetRequired ? ', and must choose a new password' : ''}
          </StatusIndicator>
        ) : (
          <StatusIndicator type="stopped">Has no password</StatusIndicator>
        )}
      </Container>
      <ResourceTable
        title="Access keys"
        noun="access key"
        loaded={keys}
        idOf={({ AccessKeyId }) => AccessKeyId!}
        selectable="single"
        columns={[
          { header: 'Access key ID', value: ({ AccessKeyId }) => AccessKeyId },
          {
            header: 'Status',
            value: ({ Status }) => Status,
            cell: ({ Status }) => (
              <StatusIndicator type={Status === 'Active' ? 'success' : 'stopped'}>{Status}</StatusIndicator>
            ),
          },
          { header: 'Created', value: ({ CreateDate }) => CreateDate },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={async () => {
                const Status = selected!.Status === 'Active' ? 'Inactive' : 'Active'
                await client
                  .call('iam', 'UpdateAccessKey', { UserName: name, AccessKeyId: selected!.AccessKeyId!, Status })
                  .then(
                    () => done(`The access key is ${Status.toLowerCase()}.`),
                    (error: Error) => say(error.message, 'error'),
                  )
              }}
            >
              {selected?.Status === 'Inactive' ? 'Activate' : 'Deactivate'}
            </Button>
            <Button
              disabled={!selected}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title="Delete this access key?"
                    submit="Delete"
                    onClose={close}
                    run={async () => {
                      await client.call('iam', 'DeleteAccessKey', {
                        UserName: name,
                        AccessKeyId: selected!.AccessKeyId!,
                      })
                      done('The access key was deleted.')
                    }}
                  >
                    Programs that use {selected!.AccessKeyId} fail from now on.
                  </Dialog>
                ))
              }
            >
              Delete
            </Button>
            <Button
              variant="primary"
              onClick={() => open((close) => <CreateKey name={name} onClose={close} onDone={keys.reload} />)}
            >
              Create access key
            </Button>
          </>
        )}
      />
      <ResourceTable
        title="MFA devices"
        noun="MFA device"
        loaded={devices}
        idOf={({ SerialNumber }) => SerialNumber!}
        selectable="single"
        columns={[
          { header: 'Serial number', value: ({ SerialNumber }) => SerialNumber },
          { header: 'Enabled', value: ({ EnableDate }) => EnableDate },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title="Remove this MFA device?"
                    submit="Remove"
                    onClose={close}
                    run={async () => {
                      await client.call('iam', 'DeactivateMFADevice', {
                        UserName: name,
                        SerialNumber: selected!.SerialNumber!,
                      })
                      if (selected!.SerialNumber!.includes(':mfa/'))
                        await client.call('iam', 'DeleteVirtualMFADevice', { SerialNumber: selected!.SerialNumber! })
                      done('The MFA device was removed.')
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
                open((close) => (
                  <AddDevice name={name} onClose={close} onDone={() => done('The MFA device is in use.')} />
                ))
              }
            >
              Add authenticator app
            </Button>
          </>
        )}
      />
      {dialog}
    </SpaceBetween>
  )
}

interface PartProps {
  readonly name: string
  readonly onClose: () => void
}

function SetPassword({
  name,
  isNew,
  onClose,
  onDone,
}: PartProps & { readonly isNew: boolean; readonly onDone: (text: string) => void }) {
  const { client } = useMerlon()
  const [password, setPassword] = useState('')
  const run = async () => {
    const input = { UserName: name, Password: password, PasswordResetRequired: true }
    await (isNew ? client.call('iam', 'CreateLoginProfile', input) : client.call('iam', 'UpdateLoginProfile', input))
    onDone(`The password of ${name} was set.`)
  }
  return (
    <Dialog title={`Password of ${name}`} submit="Save" onClose={onClose} run={run} disabled={password === ''}>
      <FormField label="Password" description="The user must choose another one at the next sign-in.">
        <Input
          type="password"
          autoFocus
          autoComplete="new-password"
          value={password}
          onChange={({ detail }) => setPassword(detail.value)}
        />
      </FormField>
    </Dialog>
  )
}

/** The secret is shown once: the dialog stays open until the reader closes it. */
function CreateKey({ name, onClose, onDone }: PartProps & { readonly onDone: () => void }) {
  const { client } = useMerlon()
  const [key, setKey] = useState<Output<'iam', 'CreateAccessKey'>['AccessKey']>()
  const create = async () => {
    setKey((await client.call('iam', 'CreateAccessKey', { UserName: name })).AccessKey)
    onDone()
  }
  if (!key) {
    return (
      <Dialog title="Create access key" submit="Create" onClose={onClose} run={create} keepOpen>
        An access key lets a program act as {name} until it is deleted.
      </Dialog>
    )
  }
  return (
    <Dialog title="Keep the secret now" submit="I have kept it" onClose={onClose} run={async () => undefined}>
      <Alert type="warning">The secret access key is shown only now.</Alert>
      <Fields
        columns={1}
        items={{
          'Access key ID': <Copyable text={key.AccessKeyId!} />,
          'Secret access key': <Copyable text={key.SecretAccessKey!} />,
        }}
      />
    </Dialog>
  )
}

function AddDevice({ name, onClose, onDone }: PartProps & { readonly onDone: () => void }) {
  const { client } = useMerlon()
  const [codes, setCodes] = useState(['', ''])
  const created = useLoaded(`new device for ${name}`, async (from) => {
    const { VirtualMFADevice } = await from.call('iam', 'CreateVirtualMFADevice', {
      VirtualMFADeviceName: `${name}-${Date.now()}`,
    })
    return VirtualMFADevice!
  })
  const device = created.data
  const png = device?.QRCodePNG && btoa(String.fromCharCode(...device.QRCodePNG))
  const run = async () => {
    await client.call('iam', 'EnableMFADevice', {
      UserName: name,
      SerialNumber: device!.SerialNumber!,
      AuthenticationCode1: codes[0]!,
      AuthenticationCode2: codes[1]!,
    })
    onDone()
  }
  return (
    <Dialog
      title="Add authenticator app"
      submit="Add"
      onClose={onClose}
      run={run}
      disabled={!codes.every((code) => /^\d{6}$/.test(code)) || !device}
    >
      {created.error && <ErrorAlert error={created.error} />}
      {png && (
        <img
          className="qr"
          src={`data:image/png;base64,${png}`}
          alt="QR code for the authenticator app"
          width={180}
          height={180}
        />
      )}
      {device?.Base32StringSeed && (
        <Fields
          columns={1}
          items={{ 'Or enter this secret': <Copyable text={new TextDecoder().decode(device.Base32StringSeed)} /> }}
        />
      )}
      {codes.map((code, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: there are two, in this order.
        <FormField key={at} label={at === 0 ? 'Code in the app' : 'The next code, half a minute later'}>
          <Input
            value={code}
            inputMode="numeric"
            autoComplete={false}
            onChange={({ detail }) => setCodes(codes.map((each, n) => (n === at ? detail.value.trim() : each)))}
          />
        </FormField>
      ))}
    </Dialog>
  )
}
