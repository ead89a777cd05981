/** One control policy: its document, what a change would do, and where it is attached. */
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields, formatted } from '../../ui/fields.tsx'
import { JsonView } from '../../ui/json-view.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { isJson, PolicyEditor } from '../../ui/policy-editor.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { accountsOf, loadTree } from './tree.ts'
import { WhatIf } from './what-if.tsx'

export default function ControlPolicy({ rest: [id = ''] }: { readonly rest: readonly string[] }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const loaded = useLoaded(
    `control policy ${id}`,
    async (from) => (await from.call('organizations', 'DescribePolicy', { PolicyId: id })).Policy!,
  )
  const targets = useLoaded(`targets of ${id}`, (from) =>
    from.list('organizations', 'ListTargetsForPolicy', { PolicyId: id }, 'Targets'),
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  const { PolicySummary: summary, Content: content } = loaded.data ?? {}
  const saved = formatted(content ?? '')
  const kind = summary?.Type === 'RESOURCE_CONTROL_POLICY' ? 'rcp' : 'scp'
  return (
    <Page
      title={summary?.Name ?? id}
      description={summary?.Description}
      trail={[['Accounts and controls', ['organization']]]}
      actions={
        <Button
          disabled={!summary || summary.AwsManaged === true}
          onClick={() =>
            open((close) => (
              <Dialog
                title={`Delete ${summary!.Name}?`}
                submit="Delete"
                confirm={summary!.Name}
                onClose={close}
                run={async () => {
                  await client.call('organizations', 'DeletePolicy', { PolicyId: id })
                  say('The policy was deleted.')
                  navigate(['organization'])
                }}
              />
            ))
          }
        >
          Delete
        </Button>
      }
    >
      <Container>
        <Fields
          items={{
            ARN: summary?.Arn && <Copyable text={summary.Arn} />,
            Type: kind === 'scp' ? 'Service control policy' : 'Resource control policy',
            'Managed by': summary?.AwsManaged ? 'AWS' : 'This organization',
          }}
        />
      </Container>
      {content !== undefined &&
        (summary?.AwsManaged ? (
          <JsonView text={saved} label="Policy document" />
        ) : (
          <Edit
            key={saved}
            id={id}
            kind={kind}
            saved={saved}
            onSaved={() => {
              say('The policy was saved. It applies from the next call on.')
              loaded.reload()
            }}
          />
        ))}
      <ResourceTable
        title="Attached to"
        noun="target"
        loaded={targets}
        idOf={({ TargetId }) => TargetId!}
        columns={[
          {
            header: 'Name',
            value: ({ Name }) => Name,
            href: ({ TargetId }) => hrefOf(['organization'], { node: TargetId! }),
          },
          { header: 'ID', value: ({ TargetId }) => TargetId },
          { header: 'Type', value: ({ Type }) => Type?.toLowerCase().replaceAll('_', ' ') },
        ]}
      />
      {dialog}
    </Page>
  )
}

interface EditProps {
  readonly id: string
  readonly kind: 'scp' | 'rcp'
  readonly saved: string
  readonly onSaved: () => void
}

function Edit({ id, kind, saved, onSaved }: EditProps) {
  const { client } = useMerlon()
  const [text, setText] = useState(saved)
  const [error, setError] = useState<Error>()
  const [isAsking, setAsking] = useState(false)
  const tree = useLoaded(isAsking ? 'organization' : undefined, loadTree)
  const isChanged = text !== saved && isJson(text)
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                {kind === 'scp' && (
                  <Button disabled={!isChanged} onClick={() => setAsking(true)}>
                    What would change?
                  </Button>
                )}
                <Button
                  variant="primary"
                  disabled={!isChanged}
                  onClick={() =>
                    client
                      .call('organizations', 'UpdatePolicy', { PolicyId: id, Content: text })
                      .then(onSaved, setError)
                  }
                >
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
            kind={kind}
            label="Policy document"
          />
          {error && <ErrorAlert error={error} />}
        </SpaceBetween>
      </Container>
      {isAsking && tree.data && (
        <WhatIf change={{ kind: 'scp', id, text, target: undefined }} accounts={accountsOf(tree.data)} />
      )}
    </SpaceBetween>
  )
}
