/** One role: what it may do and who may assume it. */
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Tabs from '@cloudscape-design/components/tabs'
import { useState } from 'react'
import { decoded } from '../../access/account.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields, formatted } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { isJson, PolicyEditor } from '../../ui/policy-editor.tsx'
import { Tags } from '../../ui/tags.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { HolderPolicies } from './shared.tsx'

export default function Role({ rest: [name = ''] }: { readonly rest: readonly string[] }) {
  const { client, switchRole, acting } = useMerlon()
  const { say } = useNotices()
  const loaded = useLoaded(
    `role ${name}`,
    async (from) => (await from.call('iam', 'GetRole', { RoleName: name })).Role!,
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  const role = loaded.data
  return (
    <Page
      title={name}
      trail={[['Roles', ['iam', 'roles']]]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button href={hrefOf(['iam', 'what-can'], { principal: role?.Arn ?? '' })}>What can they do?</Button>
          <Button
            onClick={() =>
              switchRole({ account: acting.account, role: role!.Arn!.split(':role/')[1]! }).then(
                () => say(`You now act as ${name}.`, 'info'),
                (error: Error) => say(error.message, 'error'),
              )
            }
          >
            Act as this role
          </Button>
        </SpaceBetween>
      }
    >
      <Container>
        <Fields
          items={{
            ARN: role?.Arn && <Copyable text={role.Arn} />,
            Description: role?.Description,
            'Longest session': role?.MaxSessionDuration && `${role.MaxSessionDuration / 60} minutes`,
            Created: timeShown(role?.CreateDate),
            'Last used': timeFromNow(role?.RoleLastUsed?.LastUsedDate),
            'Permissions boundary': role?.PermissionsBoundary?.PermissionsBoundaryArn,
          }}
        />
      </Container>
      <Tabs
        tabs={[
          { id: 'permissions', label: 'Permissions', content: <HolderPolicies kind="role" name={name} /> },
          {
            id: 'trust',
            label: 'Trust',
            content: role && (
              <Trust
                name={name}
                saved={formatted(decoded(role.AssumeRolePolicyDocument) ?? '')}
                onSaved={loaded.reload}
              />
            ),
          },
          {
            id: 'tags',
            label: 'Tags',
            content: (
              <Tags
                tags={(role?.Tags ?? []).map(({ Key, Value }) => ({ key: Key!, value: Value! }))}
                save={async (added, removed) => {
                  if (added.length > 0)
                    await client.call('iam', 'TagRole', {
                      RoleName: name,
                      Tags: added.map(({ key, value }) => ({ Key: key, Value: value })),
                    })
                  if (removed.length > 0)
                    await client.call('iam', 'UntagRole', { RoleName: name, TagKeys: [...removed] })
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

function Trust({
  name,
  saved,
  onSaved,
}: {
  readonly name: string
  readonly saved: string
  readonly onSaved: () => void
}) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const [text, setText] = useState(saved)
  const [error, setError] = useState<Error>()
  const save = () =>
    client.call('iam', 'UpdateAssumeRolePolicy', { RoleName: name, PolicyDocument: text }).then(() => {
      setError(undefined)
      say('The trust policy was saved.')
      onSaved()
    }, setError)
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <Button variant="primary" disabled={text === saved || !isJson(text)} onClick={save}>
              Save
            </Button>
          }
        >
          Trust policy
        </Header>
      }
    >
      <SpaceBetween size="m">
        <PolicyEditor value={text} onChange={setText} kind="trust" label="Trust policy" />
        {error && <ErrorAlert error={error} />}
      </SpaceBetween>
    </Container>
  )
}
