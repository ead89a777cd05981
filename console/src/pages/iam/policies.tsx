/** Managed policies: of the account and of AWS. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import SegmentedControl from '@cloudscape-design/components/segmented-control'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { isJson, PolicyEditor } from '../../ui/policy-editor.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { NEW_POLICY, policyHref } from './shared.tsx'

export default function Policies() {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const [scope, setScope] = useState<'Local' | 'AWS'>('Local')
  const policies = useLoaded(`${scope} policies`, (from) =>
    from.list('iam', 'ListPolicies', { Scope: scope, MaxItems: 1000 }, 'Policies'),
  )
  const remove = async (arn: string) => {
    const versions = await client.list('iam', 'ListPolicyVersions', { PolicyArn: arn }, 'Versions')
    for (const { VersionId, IsDefaultVersion } of versions)
      if (!IsDefaultVersion) await client.call('iam', 'DeletePolicyVersion', { PolicyArn: arn, VersionId: VersionId! })
    await client.call('iam', 'DeletePolicy', { PolicyArn: arn })
    say('The policy was deleted.')
    policies.reload()
  }
  return (
    <Page title="Policies" description="Documents that say what is allowed, for users, groups and roles to share.">
      <SegmentedControl
        label="Whose policies"
        selectedId={scope}
        options={[
          { id: 'Local', text: 'Of this account' },
          { id: 'AWS', text: 'Of AWS' },
        ]}
        onChange={({ detail }) => setScope(detail.selectedId as 'Local' | 'AWS')}
      />
      <ResourceTable
        title="Policies"
        noun="policy"
        loaded={policies}
        idOf={({ Arn }) => Arn!}
        selectable="single"
        columns={[
          { header: 'Name', value: ({ PolicyName }) => PolicyName, href: ({ Arn }) => policyHref(Arn!) },
          { header: 'Attached to', value: ({ AttachmentCount }) => AttachmentCount },
          { header: 'Version', value: ({ DefaultVersionId }) => DefaultVersionId },
          { header: 'Updated', value: ({ UpdateDate }) => UpdateDate },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected || scope === 'AWS'}
              onClick={() => {
                const { Arn: arn, PolicyName: name } = selected!
                open((close) => (
                  <Dialog
                    title={`Delete ${name}?`}
                    submit="Delete"
                    confirm={name}
                    onClose={close}
                    run={() => remove(arn!)}
                  />
                ))
              }}
            >
              Delete
            </Button>
            <Button variant="primary" onClick={() => open((close) => <CreatePolicy onClose={close} />)}>
              Create policy
            </Button>
          </>
        )}
      />
      {dialog}
    </Page>
  )
}

function CreatePolicy({ onClose }: { readonly onClose: () => void }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const [name, setName] = useState('')
  const [text, setText] = useState(NEW_POLICY)
  const run = async () => {
    const { Policy } = await client.call('iam', 'CreatePolicy', { PolicyName: name, PolicyDocument: text })
    say(`Policy ${name} was created. Attach it to a user, group or role.`)
    navigate(['iam', 'policies', Policy!.Arn!])
  }
  return (
    <Dialog
      title="Create policy"
      submit="Create policy"
      size="large"
      onClose={onClose}
      run={run}
      disabled={name === '' || !isJson(text)}
    >
      <FormField label="Name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <PolicyEditor value={text} onChange={setText} kind="identity" label="Policy document" />
    </Dialog>
  )
}
