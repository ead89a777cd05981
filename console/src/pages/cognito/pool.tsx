/** One user pool: its users, groups and clients, its hosted pages, and a token explained. */
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Tabs from '@cloudscape-design/components/tabs'
import { useState } from 'react'
import { inParallel } from '../../api/in-parallel.ts'
import type { Output } from '../../api/sdk.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields, Muted } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { hostedPage, LoginPreview, type PoolClient } from './login-preview.tsx'
import { TokenView } from './token-view.tsx'
import { UserPage, UserState } from './user.tsx'

type Pool = NonNullable<Output<'cognito-idp', 'DescribeUserPool'>['UserPool']>
type PoolUser = NonNullable<Output<'cognito-idp', 'ListUsers'>['Users']>[number]

export default function PoolOrUser({ rest: [id = '', kind, name] }: { readonly rest: readonly string[] }) {
  return kind === 'users' && name !== undefined ? <UserPage pool={id} name={name} /> : <PoolPage id={id} />
}

function PoolPage({ id }: { readonly id: string }) {
  const loaded = useLoaded(
    `user pool ${id}`,
    async (client) => (await client.call('cognito-idp', 'DescribeUserPool', { UserPoolId: id })).UserPool!,
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  const pool = loaded.data
  return (
    <Page title={pool?.Name ?? id} trail={[['User pools', ['user-pools']]]}>
      <Container>
        <Fields
          columns={4}
          items={{
            ID: <Copyable text={id} />,
            Users: pool?.EstimatedNumberOfUsers,
            'Second factor': { OFF: 'Off', ON: 'Required', OPTIONAL: 'Optional' }[pool?.MfaConfiguration ?? 'OFF'],
            'Threat protection': pool?.UserPoolAddOns?.AdvancedSecurityMode?.toLowerCase() ?? 'off',
            'Hosted pages': pool?.CustomDomain ?? pool?.Domain ?? 'No domain',
          }}
        />
      </Container>
      <Tabs
        tabs={[
          { id: 'users', label: 'Users', content: <Users pool={id} /> },
          { id: 'groups', label: 'Groups', content: <Groups pool={id} /> },
          { id: 'clients', label: 'Clients and hosted pages', content: pool && <Clients pool={pool} /> },
          { id: 'preview', label: 'Preview of the hosted pages', content: pool && <Preview pool={pool} /> },
          { id: 'token', label: 'A token explained', content: <TokenView pool={id} /> },
        ]}
      />
    </Page>
  )
}

export const attributeOf = (user: PoolUser, name: string): string | undefined =>
  user.Attributes?.find((each) => each.Name === name)?.Value

function Users({ pool }: { readonly pool: string }) {
  const { dialog, open } = useDialog()
  const [email, setEmail] = useState('')
  const [wanted, setWanted] = useState('')
  const users = useLoaded(`users of ${pool} ${wanted}`, (client) =>
    client.list(
      'cognito-idp',
      'ListUsers',
      { UserPoolId: pool, ...(wanted !== '' && { Filter: `email ^= "${wanted.replace(/["\\]/g, '\\$&')}"` }) },
      'Users',
      500,
    ),
  )
  return (
    <SpaceBetween size="m">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          setWanted(email)
        }}
      >
        <div className="fields-row">
          <FormField label="E-mail begins with">
            <Input value={email} type="search" onChange={({ detail }) => setEmail(detail.value)} />
          </FormField>
          <Button formAction="submit">Find</Button>
        </div>
      </form>
      <ResourceTable<PoolUser>
        title="Users"
        noun="user"
        description={users.data && users.data.length >= 500 ? 'The first 500. Find others by their e-mail.' : undefined}
        loaded={users}
        idOf={({ Username }) => Username!}
        columns={[
          {
            header: 'User name',
            value: ({ Username }) => Username,
            href: ({ Username }) => hrefOf(['user-pools', pool, 'users', Username!]),
          },
          { header: 'E-mail', value: (user) => attributeOf(user, 'email') },
          {
            header: 'State',
            value: ({ UserStatus }) => UserStatus,
            cell: ({ Enabled, UserStatus }) => <UserState isEnabled={Enabled ?? true} status={UserStatus} />,
          },
          { header: 'Created', value: ({ UserCreateDate }) => UserCreateDate },
        ]}
        actions={() => (
          <Button variant="primary" onClick={() => open((close) => <CreateUser pool={pool} onClose={close} />)}>
            Create user
          </Button>
        )}
      />
      {dialog}
    </SpaceBetween>
  )
}

function CreateUser({ pool, onClose }: { readonly pool: string; readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const run = async () => {
    const { User } = await client.call('cognito-idp', 'AdminCreateUser', {
      UserPoolId: pool,
      Username: name,
      UserAttributes: email === '' ? [] : [{ Name: 'email', Value: email }],
      ...(email === '' ? { MessageAction: 'SUPPRESS' as const } : { DesiredDeliveryMediums: ['EMAIL' as const] }),
    })
    navigate(['user-pools', pool, 'users', User!.Username!])
  }
  return (
    <Dialog title="Create user" submit="Create" onClose={onClose} run={run} disabled={name === ''}>
      <FormField label="User name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="E-mail" description="An invitation with a temporary password is sent to it.">
        <Input value={email} type="email" onChange={({ detail }) => setEmail(detail.value)} />
      </FormField>
    </Dialog>
  )
}

function Groups({ pool }: { readonly pool: string }) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const groups = useLoaded(`groups of ${pool}`, (from) =>
    from.list('cognito-idp', 'ListGroups', { UserPoolId: pool }, 'Groups'),
  )
  const [name, setName] = useState('')
  return (
    <SpaceBetween size="m">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (name !== '')
            client.call('cognito-idp', 'CreateGroup', { UserPoolId: pool, GroupName: name }).then(
              () => {
                setName('')
                groups.reload()
              },
              (error: Error) =>
                open((close) => (
                  <Dialog title="The group was not created" submit="Close" onClose={close} run={async () => undefined}>
                    {error.message}
                  </Dialog>
                )),
            )
        }}
      >
        <div className="fields-row">
          <FormField label="Name of a new group">
            <Input value={name} onChange={({ detail }) => setName(detail.value)} />
          </FormField>
          <Button formAction="submit" disabled={name === ''}>
            Create group
          </Button>
        </div>
      </form>
      <ResourceTable
        title="Groups"
        noun="group"
        loaded={groups}
        idOf={({ GroupName }) => GroupName!}
        columns={[
          { header: 'Name', value: ({ GroupName }) => GroupName },
          { header: 'Description', value: ({ Description }) => Description },
          { header: 'Precedence', value: ({ Precedence }) => Precedence },
          { header: 'Role', value: ({ RoleArn }) => RoleArn },
        ]}
      />
      {dialog}
    </SpaceBetween>
  )
}

/** Every client of the pool with its settings. */
const useClients = (pool: Pool) =>
  useLoaded(`clients of ${pool.Id}`, async (client): Promise<readonly PoolClient[]> => {
    const input = { UserPoolId: pool.Id!, MaxResults: 60 }
    const all = await client.list('cognito-idp', 'ListUserPoolClients', input, 'UserPoolClients')
    return inParallel(
      all,
      async ({ ClientId }) =>
        (await client.call('cognito-idp', 'DescribeUserPoolClient', { UserPoolId: pool.Id!, ClientId: ClientId! }))
          .UserPoolClient!,
    )
  })

function Preview({ pool }: { readonly pool: Pool }) {
  const clients = useClients(pool)
  if (clients.error) return <ErrorAlert error={clients.error} onRetry={clients.reload} />
  return clients.data ? <LoginPreview pool={pool} clients={clients.data} /> : null
}

function Clients({ pool }: { readonly pool: Pool }) {
  const clients = useClients(pool)
  return (
    <ResourceTable<PoolClient>
      title="Clients"
      noun="client"
      description={
        pool.Domain || pool.CustomDomain ? undefined : 'Hosted pages need a domain: CreateUserPoolDomain gives one.'
      }
      loaded={clients}
      idOf={({ ClientId }) => ClientId!}
      columns={[
        { header: 'Name', value: ({ ClientName }) => ClientName },
        { header: 'Client ID', value: ({ ClientId }) => ClientId },
        { header: 'Secret', value: ({ ClientSecret }) => ClientSecret !== undefined },
        { header: 'Flows', value: ({ ExplicitAuthFlows }) => ExplicitAuthFlows?.join(', ') },
        {
          header: 'Hosted page',
          value: () => undefined,
          cell: (client) => {
            const address = hostedPage(pool, client, 'oauth2/authorize')
            return address ? (
              <Link href={address} external externalIconAriaLabel="Opens in a new tab">
                Open sign-in
              </Link>
            ) : (
              <Muted>not set up</Muted>
            )
          },
        },
      ]}
    />
  )
}
