/** One person or group of the directory: groups or members, and the access that is assigned. */
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import { useState } from 'react'
import { inParallel } from '../../api/in-parallel.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields } from '../../ui/fields.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { accountNames, accountShown, type Center, loadMembers, loadPeople } from './center.ts'
import { CenterPage } from './center-page.tsx'

interface Props {
  readonly center: Center
  readonly kind: 'user' | 'group'
  readonly id: string
}

export default function PrincipalPage({ rest: [kind = '', id = ''] }: { readonly rest: readonly string[] }) {
  const type = kind === 'group' ? 'GROUP' : 'USER'
  return (
    <CenterPage
      title={kind === 'group' ? 'Group' : 'Person'}
      trail={[['People and groups', ['identity-center', 'people']]]}
      actions={<Button href={hrefOf(['identity-center', 'assign'], { who: `${type} ${id}` })}>Assign access</Button>}
    >
      {(center) => (
        <SpaceBetween size="l">
          <Facts center={center} kind={kind === 'group' ? 'group' : 'user'} id={id} />
          <Access center={center} kind={kind === 'group' ? 'group' : 'user'} id={id} />
          {kind === 'group' && <Members center={center} kind="group" id={id} />}
        </SpaceBetween>
      )}
    </CenterPage>
  )
}

function Facts({ center, kind, id }: Props) {
  const loaded = useLoaded(`${kind} ${id}`, async (client) => {
    if (kind === 'group') {
      const group = await client.call('identitystore', 'DescribeGroup', { IdentityStoreId: center.store, GroupId: id })
      return { name: group.DisplayName, items: { Description: group.Description } }
    }
    const user = await client.call('identitystore', 'DescribeUser', { IdentityStoreId: center.store, UserId: id })
    const found = await client.list(
      'identitystore',
      'ListGroupMembershipsForMember',
      { IdentityStoreId: center.store, MemberId: { UserId: id } },
      'GroupMemberships',
    )
    const groups = await inParallel(found, ({ GroupId }) =>
      client.call('identitystore', 'DescribeGroup', { IdentityStoreId: center.store, GroupId: GroupId! }),
    )
    return {
      name: user.UserName,
      items: {
        Name: user.DisplayName,
        'E-mail': user.Emails?.[0]?.Value,
        Status: user.UserStatus === 'DISABLED' ? 'Disabled' : 'Enabled',
        Groups: groups.map(({ DisplayName }) => DisplayName).join(', ') || undefined,
      },
    }
  })
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner size="large" />
  return (
    <Container header={<Header variant="h2">{loaded.data.name}</Header>}>
      <Fields items={{ ...loaded.data.items, ID: <Copyable text={id} /> }} />
    </Container>
  )
}

interface Assigned {
  readonly account: string
  readonly name: string
  readonly set: string
  readonly setName: string
  readonly isOwn: boolean
}

function Access({ center, kind, id }: Props) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const type = kind === 'group' ? ('GROUP' as const) : ('USER' as const)
  const loaded = useLoaded(`access of ${kind} ${id}`, async (from): Promise<readonly Assigned[]> => {
    const input = { InstanceArn: center.instance, PrincipalId: id, PrincipalType: type }
    const [all, names] = await Promise.all([
      from.list('sso-admin', 'ListAccountAssignmentsForPrincipal', input, 'AccountAssignments'),
      accountNames(from),
    ])
    const arns = [...new Set(all.map(({ PermissionSetArn }) => PermissionSetArn!))]
    const sets = await inParallel(arns, (PermissionSetArn) =>
      from.call('sso-admin', 'DescribePermissionSet', { InstanceArn: center.instance, PermissionSetArn }),
    )
    return all.map(({ AccountId, PermissionSetArn, PrincipalId }) => ({
      account: AccountId!,
      name: names.get(AccountId!) ?? '',
      set: PermissionSetArn!,
      setName: sets[arns.indexOf(PermissionSetArn!)]?.PermissionSet?.Name ?? PermissionSetArn!,
      isOwn: PrincipalId === id,
    }))
  })
  return (
    <>
      <ResourceTable<Assigned>
        title="Access"
        noun="assignment"
        loaded={loaded}
        idOf={({ account, set, isOwn }) => `${account} ${set} ${isOwn}`}
        selectable="single"
        columns={[
          {
            header: 'Permission set',
            value: ({ setName }) => setName,
            href: ({ set }) => hrefOf(['identity-center', 'permission-sets', set]),
          },
          { header: 'Account', value: ({ account, name }) => accountShown(account, name) },
          { header: 'Through', value: ({ isOwn }) => (isOwn ? 'own assignment' : 'a group') },
        ]}
        actions={([selected]) => (
          <Button
            disabled={!selected?.isOwn}
            onClick={() =>
              open((close) => (
                <Dialog
                  title={`Remove ${selected!.setName} in ${selected!.account}?`}
                  submit="Remove"
                  onClose={close}
                  run={async () => {
                    await client.call('sso-admin', 'DeleteAccountAssignment', {
                      InstanceArn: center.instance,
                      PermissionSetArn: selected!.set,
                      PrincipalId: id,
                      PrincipalType: type,
                      TargetId: selected!.account,
                      TargetType: 'AWS_ACCOUNT',
                    })
                    loaded.reload()
                  }}
                >
                  The access ends within seconds; credentials that were issued keep working until they expire.
                </Dialog>
              ))
            }
          >
            Remove
          </Button>
        )}
      />
      {dialog}
    </>
  )
}

interface Member {
  readonly membership: string
  readonly user: string
  readonly name: string
}

function Members({ center, id }: Props) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const members = useLoaded(`members of ${id}`, async (from): Promise<readonly Member[]> => {
    const [all, people] = await Promise.all([loadMembers(from, center, id), loadPeople(from, center)])
    const names = new Map(people.map(({ UserId, UserName }) => [UserId, UserName]))
    return all.map(({ MembershipId, MemberId }) => ({
      membership: MembershipId!,
      user: MemberId!.UserId!,
      name: names.get(MemberId?.UserId) ?? MemberId!.UserId!,
    }))
  })
  return (
    <>
      <ResourceTable<Member>
        title="Members"
        noun="member"
        loaded={members}
        idOf={({ membership }) => membership}
        selectable="single"
        columns={[
          {
            header: 'User name',
            value: ({ name }) => name,
            href: ({ user }) => hrefOf(['identity-center', 'people', 'user', user]),
          },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title={`Remove ${selected!.name}?`}
                    submit="Remove"
                    onClose={close}
                    run={() =>
                      client
                        .call('identitystore', 'DeleteGroupMembership', {
                          IdentityStoreId: center.store,
                          MembershipId: selected!.membership,
                        })
                        .then(members.reload)
                    }
                  >
                    They lose the access of the group.
                  </Dialog>
                ))
              }
            >
              Remove
            </Button>
            <Button
              variant="primary"
              onClick={() =>
                open((close) => <AddMember center={center} id={id} onClose={close} onDone={members.reload} />)
              }
            >
              Add person
            </Button>
          </>
        )}
      />
      {dialog}
    </>
  )
}

interface AddProps extends Pick<Props, 'center' | 'id'> {
  readonly onClose: () => void
  readonly onDone: () => void
}

function AddMember({ center, id, onClose, onDone }: AddProps) {
  const { client } = useMerlon()
  const people = useLoaded(`people of ${center.store}`, (from) => loadPeople(from, center))
  const [user, setUser] = useState<{ readonly value: string; readonly label: string }>()
  const run = () =>
    client
      .call('identitystore', 'CreateGroupMembership', {
        IdentityStoreId: center.store,
        GroupId: id,
        MemberId: { UserId: user!.value },
      })
      .then(onDone)
  return (
    <Dialog title="Add a person" submit="Add" onClose={onClose} run={run} disabled={!user}>
      <FormField label="Person">
        <Select
          selectedOption={user ?? null}
          options={(people.data ?? []).map(({ UserId, UserName }) => ({ value: UserId!, label: UserName! }))}
          statusType={people.loading ? 'loading' : 'finished'}
          filteringType="auto"
          placeholder="Choose a person"
          onChange={({ detail }) =>
            setUser({ value: detail.selectedOption.value!, label: detail.selectedOption.label! })
          }
        />
      </FormField>
    </Dialog>
  )
}
