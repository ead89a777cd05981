/** One managed policy: its document, versions and the identities it is attached to. */
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Tabs from '@cloudscape-design/components/tabs'
import { useState } from 'react'
import { decoded } from '../../access/account.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields, formatted } from '../../ui/fields.tsx'
import { JsonView } from '../../ui/json-view.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { isJson, PolicyEditor } from '../../ui/policy-editor.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { WhatIf } from '../organizations/what-if.tsx'
import { attach, detach, type HolderKind } from './shared.tsx'

export default function Policy({ rest: [arn = ''] }: { readonly rest: readonly string[] }) {
  const loaded = useLoaded(`policy ${arn}`, async (from) => {
    const { Policy: policy } = await from.call('iam', 'GetPolicy', { PolicyArn: arn })
    const { PolicyVersion } = await from.call('iam', 'GetPolicyVersion', {
      PolicyArn: arn,
      VersionId: policy!.DefaultVersionId!,
    })
    return { policy: policy!, document: formatted(decoded(PolicyVersion?.Document) ?? '') }
  })
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  const { policy, document } = loaded.data ?? {}
  const isAws = arn.includes('::aws:policy/')
  return (
    <Page
      title={policy?.PolicyName ?? arn.split('/').at(-1)!}
      trail={[['Policies', ['iam', 'policies']]]}
      description={policy?.Description}
    >
      <Container>
        <Fields
          items={{
            ARN: <Copyable text={arn} />,
            'Default version': policy?.DefaultVersionId,
            'Attached to': policy?.AttachmentCount,
            Created: timeShown(policy?.CreateDate),
            Updated: timeShown(policy?.UpdateDate),
          }}
        />
      </Container>
      <Tabs
        tabs={[
          {
            id: 'document',
            label: 'Document',
            content:
              document !== undefined &&
              (isAws ? (
                <JsonView text={document} label="Policy document" />
              ) : (
                <Edit key={document} arn={arn} saved={document} onSaved={loaded.reload} />
              )),
          },
          { id: 'attached', label: 'Attached to', content: <Attached arn={arn} /> },
          { id: 'versions', label: 'Versions', content: <Versions arn={arn} onChanged={loaded.reload} /> },
        ]}
      />
    </Page>
  )
}

interface EditProps {
  readonly arn: string
  readonly saved: string
  readonly onSaved: () => void
}

/** The oldest of five versions is replaced. */
const VERSIONS_MAX = 5

function Edit({ arn, saved, onSaved }: EditProps) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const [text, setText] = useState(saved)
  const [error, setError] = useState<Error>()
  const [isAsking, setAsking] = useState(false)
  const save = async () => {
    try {
      const versions = await client.list('iam', 'ListPolicyVersions', { PolicyArn: arn }, 'Versions')
      const oldest = versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion).at(-1)
      if (versions.length >= VERSIONS_MAX && oldest)
        await client.call('iam', 'DeletePolicyVersion', { PolicyArn: arn, VersionId: oldest.VersionId! })
      await client.call('iam', 'CreatePolicyVersion', { PolicyArn: arn, PolicyDocument: text, SetAsDefault: true })
      say('The policy was saved as a new version, which is in force.')
      onSaved()
    } catch (failure) {
      setError(failure as Error)
    }
  }
  const isChanged = text !== saved && isJson(text)
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button disabled={!isChanged} onClick={() => setAsking(true)}>
                  What would change?
                </Button>
                <Button variant="primary" disabled={!isChanged} onClick={save}>
                  Save
                </Button>
              </SpaceBetween>
            }
          >
            Document
          </Header>
        }
      >
        <SpaceBetween size="m">
          <PolicyEditor
            value={text}
            onChange={(next) => {
              setText(next)
              setAsking(false)
            }}
            kind="identity"
            label="Policy document"
          />
          {error && <ErrorAlert error={error} />}
        </SpaceBetween>
      </Container>
      {isAsking && <WhatIf change={{ kind: 'policy', arn, text }} />}
    </SpaceBetween>
  )
}

interface Holder {
  readonly kind: HolderKind
  readonly name: string
}

function Attached({ arn }: { readonly arn: string }) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const holders = useLoaded(`holders of ${arn}`, async (from): Promise<readonly Holder[]> => {
    const { PolicyUsers, PolicyGroups, PolicyRoles } = await from.call('iam', 'ListEntitiesForPolicy', {
      PolicyArn: arn,
      MaxItems: 1000,
    })
    return [
      ...(PolicyUsers ?? []).map(({ UserName }) => ({ kind: 'user' as const, name: UserName! })),
      ...(PolicyGroups ?? []).map(({ GroupName }) => ({ kind: 'group' as const, name: GroupName! })),
      ...(PolicyRoles ?? []).map(({ RoleName }) => ({ kind: 'role' as const, name: RoleName! })),
    ]
  })
  return (
    <>
      <ResourceTable
        title="Attached to"
        noun="identity"
        loaded={holders}
        idOf={({ kind, name }) => `${kind} ${name}`}
        selectable="single"
        empty="The policy is not attached yet: it allows nothing."
        columns={[
          { header: 'Name', value: ({ name }) => name, href: ({ kind, name }) => hrefOf(['iam', `${kind}s`, name]) },
          { header: 'Type', value: ({ kind }) => kind },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title={`Detach from ${selected!.name}?`}
                    submit="Detach"
                    onClose={close}
                    run={async () => {
                      await detach(client, selected!.kind, selected!.name, arn)
                      holders.reload()
                    }}
                  />
                ))
              }
            >
              Detach
            </Button>
            <Button
              variant="primary"
              onClick={() => open((close) => <Attach arn={arn} onClose={close} onDone={holders.reload} />)}
            >
              Attach
            </Button>
          </>
        )}
      />
      {dialog}
    </>
  )
}

function Attach({
  arn,
  onClose,
  onDone,
}: {
  readonly arn: string
  readonly onClose: () => void
  readonly onDone: () => void
}) {
  const { client } = useMerlon()
  const [chosen, setChosen] = useState<string>()
  const all = useLoaded('identities', async (from) => {
    const [users, groups, roles] = await Promise.all([
      from.list('iam', 'ListUsers', {}, 'Users'),
      from.list('iam', 'ListGroups', {}, 'Groups'),
      from.list('iam', 'ListRoles', {}, 'Roles'),
    ])
    return [
      { label: 'Users', options: users.map(({ UserName }) => ({ value: `user ${UserName}`, label: UserName! })) },
      { label: 'Groups', options: groups.map(({ GroupName }) => ({ value: `group ${GroupName}`, label: GroupName! })) },
      { label: 'Roles', options: roles.map(({ RoleName }) => ({ value: `role ${RoleName}`, label: RoleName! })) },
    ].filter(({ options }) => options.length > 0)
  })
  const run = async () => {
    const [kind, name] = chosen!.split(' ') as [HolderKind, string]
    await attach(client, kind, name, arn)
    onDone()
  }
  return (
    <Dialog title="Attach the policy" submit="Attach" onClose={onClose} run={run} disabled={!chosen}>
      <FormField label="User, group or role">
        <Select
          selectedOption={chosen === undefined ? null : { value: chosen, label: chosen.split(' ')[1]! }}
          options={all.data ?? []}
          statusType={all.loading ? 'loading' : 'finished'}
          filteringType="auto"
          placeholder="Choose one"
          onChange={({ detail }) => setChosen(detail.selectedOption.value)}
        />
      </FormField>
    </Dialog>
  )
}

function Versions({ arn, onChanged }: { readonly arn: string; readonly onChanged: () => void }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const versions = useLoaded(`versions of ${arn}`, (from) =>
    from.list('iam', 'ListPolicyVersions', { PolicyArn: arn }, 'Versions'),
  )
  const done = (text: string) => {
    say(text)
    versions.reload()
    onChanged()
  }
  return (
    <>
      <ResourceTable
        title="Versions"
        noun="version"
        loaded={versions}
        idOf={({ VersionId }) => VersionId!}
        selectable="single"
        columns={[
          { header: 'Version', value: ({ VersionId }) => VersionId },
          { header: 'In force', value: ({ IsDefaultVersion }) => IsDefaultVersion },
          { header: 'Created', value: ({ CreateDate }) => CreateDate },
        ]}
        actions={([selected]) => {
          const version = { PolicyArn: arn, VersionId: selected?.VersionId ?? '' }
          return (
            <>
              <Button
                disabled={!selected}
                onClick={() => open((close) => <ShowVersion arn={arn} version={version.VersionId} onClose={close} />)}
              >
                Show
              </Button>
              <Button
                disabled={!selected || selected.IsDefaultVersion === true}
                onClick={() =>
                  client.call('iam', 'SetDefaultPolicyVersion', version).then(
                    () => done(`${version.VersionId} is in force.`),
                    (error: Error) => say(error.message, 'error'),
                  )
                }
              >
                Put in force
              </Button>
              <Button
                disabled={!selected || selected.IsDefaultVersion === true}
                onClick={() =>
                  open((close) => (
                    <Dialog
                      title={`Delete ${version.VersionId}?`}
                      submit="Delete"
                      onClose={close}
                      run={async () => {
                        await client.call('iam', 'DeletePolicyVersion', version)
                        done('The version was deleted.')
                      }}
                    />
                  ))
                }
              >
                Delete
              </Button>
            </>
          )
        }}
      />
      {dialog}
    </>
  )
}

function ShowVersion({
  arn,
  version,
  onClose,
}: {
  readonly arn: string
  readonly version: string
  readonly onClose: () => void
}) {
  const loaded = useLoaded(`${arn} ${version}`, async (client) => {
    const { PolicyVersion } = await client.call('iam', 'GetPolicyVersion', { PolicyArn: arn, VersionId: version })
    return formatted(decoded(PolicyVersion?.Document) ?? '')
  })
  return (
    <Dialog title={`Version ${version}`} submit="Close" size="large" onClose={onClose} run={async () => undefined}>
      {loaded.error && <ErrorAlert error={loaded.error} />}
      {loaded.data !== undefined && <JsonView text={loaded.data} label={`Version ${version}`} />}
    </Dialog>
  )
}
