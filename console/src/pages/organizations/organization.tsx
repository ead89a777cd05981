/** The organization: its tree, and the control policies that apply at each node, own and inherited. */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Grid from '@cloudscape-design/components/grid'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import Tabs from '@cloudscape-design/components/tabs'
import TreeView from '@cloudscape-design/components/tree-view'
import { useState } from 'react'
import type { Change } from '../../access/what-if.ts'
import { ApiError } from '../../api/protocol.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, replaceQuery, usePlace } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { isJson, PolicyEditor } from '../../ui/policy-editor.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { findNode, idsOf, loadTree, type TreeNode } from './tree.ts'
import { WhatIf } from './what-if.tsx'

const TYPES = [
  ['SERVICE_CONTROL_POLICY', 'Service control policies', 'scp'],
  ['RESOURCE_CONTROL_POLICY', 'Resource control policies', 'rcp'],
] as const
type Type = (typeof TYPES)[number][0]

export default function Organization() {
  const tree = useLoaded('organization', loadTree)
  const { query } = usePlace()
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  if (tree.error instanceof ApiError && tree.error.code === 'AWSOrganizationsNotInUseException')
    return <NoOrganization onCreated={tree.reload} />
  if (tree.error) return <ErrorAlert error={tree.error} onRetry={tree.reload} />
  if (!tree.data) return <Spinner size="large" />
  const root = tree.data
  const node = findNode(root, query.get('node') ?? root.id) ?? root
  return (
    <Page title="Accounts and controls" description="The tree of the organization, and what limits each part of it.">
      <Grid gridDefinition={[{ colspan: { default: 12, s: 4 } }, { colspan: { default: 12, s: 8 } }]}>
        <Container
          header={
            <Header
              variant="h2"
              actions={
                node.kind !== 'account' && (
                  <Button
                    onClick={() =>
                      open((close) => (
                        <CreateUnit
                          parent={node}
                          onClose={close}
                          run={(name) =>
                            client
                              .call('organizations', 'CreateOrganizationalUnit', { ParentId: node.id, Name: name })
                              .then(tree.reload)
                          }
                        />
                      ))
                    }
                  >
                    Add unit
                  </Button>
                )
              }
            >
              Tree
            </Header>
          }
        >
          <TreeView<TreeNode>
            ariaLabel="Tree of the organization"
            items={[root]}
            getItemId={({ id }) => id}
            getItemChildren={({ children }) => (children.length > 0 ? children : undefined)}
            expandedItems={idsOf(root).filter((id) => !closed.has(id))}
            onItemToggle={({ detail }) =>
              setClosed(
                (before) =>
                  new Set(detail.expanded ? [...before].filter((id) => id !== detail.id) : [...before, detail.id]),
              )
            }
            renderItem={(item) => ({
              icon: <NodeIcon kind={item.kind} />,
              content: (
                <Button variant="inline-link" ariaLabel={item.name} onClick={() => replaceQuery({ node: item.id })}>
                  {item.id === node.id ? <strong>{item.name}</strong> : item.name}
                </Button>
              ),
              secondaryContent: item.detail,
              announcementLabel: item.name,
            })}
          />
        </Container>
        <NodeControls key={node.id} node={node} root={root} />
      </Grid>
      {dialog}
    </Page>
  )
}

function NodeIcon({ kind }: { readonly kind: TreeNode['kind'] }) {
  const shapes = {
    root: 'M8 1 15 6v9H1V6Z',
    unit: 'M1 4h5l2 2h7v8H1Z',
    account: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm-6 7a6 6 0 0 1 12 0Z',
  }
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={shapes[kind]} fill="none" stroke="currentColor" strokeWidth="1.5" />
    </svg>
  )
}

function NoOrganization({ onCreated }: { readonly onCreated: () => void }) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  return (
    <Page title="Accounts and controls">
      <Alert
        type="info"
        header="This account is in no organization"
        action={
          <Button
            onClick={() =>
              open((close) => (
                <Dialog
                  title="Create an organization?"
                  submit="Create"
                  onClose={close}
                  run={() => client.call('organizations', 'CreateOrganization', { FeatureSet: 'ALL' }).then(onCreated)}
                >
                  This account becomes its management account, which control policies do not bind.
                </Dialog>
              ))
            }
          >
            Create organization
          </Button>
        }
      >
        An organization holds several accounts, and control policies over them.
      </Alert>
      {dialog}
    </Page>
  )
}

function CreateUnit({
  parent,
  onClose,
  run,
}: {
  readonly parent: TreeNode
  readonly onClose: () => void
  readonly run: (name: string) => Promise<unknown>
}) {
  const [name, setName] = useState('')
  return (
    <Dialog
      title={`Add a unit below ${parent.name}`}
      submit="Add"
      onClose={onClose}
      run={() => run(name)}
      disabled={name === ''}
    >
      <FormField label="Name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </Dialog>
  )
}

interface Applied {
  readonly id: string
  readonly name: string
  readonly description: string | undefined
  readonly from: { readonly id: string; readonly name: string }
}

function NodeControls({ node, root }: { readonly node: TreeNode; readonly root: TreeNode }) {
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">{node.name}</Header>}>
        <Fields
          items={{
            ID: <Copyable text={node.id} />,
            Type: { root: 'Root', unit: 'Organizational unit', account: 'Account' }[node.kind],
            Path: node.above.map(({ name }) => name).join(' / ') || '–',
          }}
        />
      </Container>
      <Tabs
        tabs={TYPES.map(([type, label, kind]) => ({
          id: type,
          label,
          content: <Controls key={type} type={type} kind={kind} title={label} node={node} root={root} />,
        }))}
      />
    </SpaceBetween>
  )
}

interface ControlsProps {
  readonly type: Type
  readonly kind: 'scp' | 'rcp'
  readonly title: string
  readonly node: TreeNode
  readonly root: TreeNode
}

function Controls({ type, kind, title, node, root }: ControlsProps) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const loaded = useLoaded(`${type} at ${node.id}`, async (from): Promise<readonly Applied[]> => {
    const levels = [...node.above, node]
    const found = await Promise.all(
      levels.map(async (level) =>
        (
          await from.list('organizations', 'ListPoliciesForTarget', { TargetId: level.id, Filter: type }, 'Policies')
        ).map((policy) => ({
          id: policy.Id!,
          name: policy.Name!,
          description: policy.Description,
          from: level,
        })),
      ),
    )
    return found.flat()
  })
  const done = (text: string) => {
    say(text)
    loaded.reload()
  }
  if (loaded.error instanceof ApiError && loaded.error.code === 'PolicyTypeNotEnabledException') {
    return (
      <Alert
        type="info"
        action={
          <Button
            onClick={() =>
              client.call('organizations', 'EnablePolicyType', { RootId: root.id, PolicyType: type }).then(
                () => done(`${title} are enabled.`),
                (error: Error) => say(error.message, 'error'),
              )
            }
          >
            Enable
          </Button>
        }
      >
        {title} are not enabled in this organization.
      </Alert>
    )
  }
  return (
    <>
      <ResourceTable<Applied>
        title={title}
        noun="policy"
        description="Own ones and inherited ones. Every level must allow a call."
        loaded={loaded}
        idOf={({ id, from }) => `${id} at ${from.name}`}
        selectable="single"
        columns={[
          { header: 'Policy', value: ({ name }) => name, href: ({ id }) => hrefOf(['organization', id]) },
          {
            header: 'Applies through',
            value: ({ from }) => (from.id === node.id ? 'Attached here' : `Inherited from ${from.name}`),
          },
          { header: 'Description', value: ({ description }) => description },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected || selected.from.id !== node.id}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title={`Detach ${selected!.name} from ${node.name}?`}
                    submit="Detach"
                    onClose={close}
                    run={async () => {
                      await client.call('organizations', 'DetachPolicy', { PolicyId: selected!.id, TargetId: node.id })
                      done(`${selected!.name} was detached.`)
                    }}
                  />
                ))
              }
            >
              Detach
            </Button>
            <Button
              onClick={() => open((close) => <CreateControl type={type} kind={kind} onClose={close} onDone={done} />)}
            >
              Create policy
            </Button>
            <Button
              variant="primary"
              onClick={() =>
                open((close) => <AttachControl type={type} node={node} root={root} onClose={close} onDone={done} />)
              }
            >
              Attach policy
            </Button>
          </>
        )}
      />
      {dialog}
    </>
  )
}

interface ChangeProps {
  readonly onClose: () => void
  readonly onDone: (text: string) => void
}

function CreateControl({
  type,
  kind,
  onClose,
  onDone,
}: ChangeProps & { readonly type: Type; readonly kind: 'scp' | 'rcp' }) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [text, setText] = useState(() => NEW_CONTROL[kind])
  const run = async () => {
    await client.call('organizations', 'CreatePolicy', {
      Name: name,
      Description: description,
      Type: type,
      Content: text,
    })
    onDone(`${name} was created. It applies where it is attached.`)
  }
  return (
    <Dialog
      title="Create policy"
      submit="Create"
      size="large"
      onClose={onClose}
      run={run}
      disabled={name === '' || !isJson(text)}
    >
      <FormField label="Name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Description">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <PolicyEditor value={text} onChange={setText} kind={kind} label="Policy document" rows={12} />
    </Dialog>
  )
}

const NEW_CONTROL = {
  scp: '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {\n      "Sid": "Limit",\n      "Effect": "Deny",\n      "Action": [],\n      "Resource": "*"\n    }\n  ]\n}',
  rcp: '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {\n      "Sid": "Limit",\n      "Effect": "Deny",\n      "Principal": "*",\n      "Action": [],\n      "Resource": "*"\n    }\n  ]\n}',
}

/** What it would do is shown before it is attached. */
function AttachControl({
  type,
  node,
  root,
  onClose,
  onDone,
}: ChangeProps & { readonly type: Type; readonly node: TreeNode; readonly root: TreeNode }) {
  const { client } = useMerlon()
  const [chosen, setChosen] = useState<string>()
  const policies = useLoaded(`all ${type}`, (from) =>
    from.list('organizations', 'ListPolicies', { Filter: type }, 'Policies'),
  )
  const content = useLoaded(
    chosen && `content of ${chosen}`,
    async (from) => (await from.call('organizations', 'DescribePolicy', { PolicyId: chosen! })).Policy!.Content!,
  )
  const change: Change | undefined =
    chosen && content.data && type === 'SERVICE_CONTROL_POLICY'
      ? { kind: 'scp', id: chosen, text: content.data, target: node.id }
      : undefined
  const name = policies.data?.find(({ Id }) => Id === chosen)?.Name
  const run = async () => {
    await client.call('organizations', 'AttachPolicy', { PolicyId: chosen!, TargetId: node.id })
    onDone(`${name} was attached to ${node.name}.`)
  }
  return (
    <Dialog
      title={`Attach a policy to ${node.name}`}
      submit="Attach"
      size="large"
      onClose={onClose}
      run={run}
      disabled={!chosen}
    >
      <FormField label="Policy">
        <Select
          selectedOption={chosen === undefined ? null : { value: chosen, label: name ?? chosen }}
          options={(policies.data ?? []).map(({ Id, Name, Description }) => ({
            value: Id!,
            label: Name!,
            description: Description ?? '',
          }))}
          statusType={policies.loading ? 'loading' : 'finished'}
          placeholder="Choose a policy"
          onChange={({ detail }) => setChosen(detail.selectedOption.value)}
        />
      </FormField>
      {change && <WhatIf key={chosen} change={change} accounts={accountsBelow(node, root)} />}
    </Dialog>
  )
}

function accountsBelow(node: TreeNode, root: TreeNode) {
  const below = (each: TreeNode): readonly TreeNode[] =>
    each.kind === 'account' ? [each] : each.children.flatMap(below)
  return below(findNode(root, node.id) ?? node).map(({ id, name }) => ({ id, name }))
}
