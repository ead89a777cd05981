/** What the pages of IAM share: policies of a holder, attached, detached, written in place. */
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import Link from '@cloudscape-design/components/link'
import Multiselect, { type MultiselectProps } from '@cloudscape-design/components/multiselect'
import { useState } from 'react'
import { decoded } from '../../access/account.ts'
import type { Client } from '../../api/client.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { formatted } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { isJson, PolicyEditor } from '../../ui/policy-editor.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'

export type HolderKind = 'user' | 'group' | 'role'

interface HeldPolicy {
  readonly name: string
  readonly arn: string | undefined
  readonly from: string
}

/** A new document starts with a statement to fill in. */
export const NEW_POLICY = formatted(
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[],"Resource":[]}]}',
)

export const policyHref = (arn: string): string => hrefOf(['iam', 'policies', arn])

export function HolderPolicies({ kind, name }: { readonly kind: HolderKind; readonly name: string }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const loaded = useLoaded(`policies of ${kind} ${name}`, (from) => policiesOf(from, kind, name))
  const change = (text: string) => {
    say(text)
    loaded.reload()
  }
  const remove = async ({ arn, name: policy }: HeldPolicy) => {
    await (arn === undefined ? deleteInline(client, kind, name, policy) : detach(client, kind, name, arn))
    change(`${policy} was removed from ${name}.`)
  }
  return (
    <>
      <ResourceTable<HeldPolicy>
        title="Permissions"
        noun="policy"
        loaded={loaded}
        idOf={({ arn, name: policy }) => arn ?? policy}
        selectable="single"
        columns={[
          {
            header: 'Policy',
            value: (policy) => policy.name,
            cell: (policy) =>
              policy.arn ? (
                <Link href={policyHref(policy.arn)}>{policy.name}</Link>
              ) : (
                <Button
                  variant="inline-link"
                  onClick={() =>
                    open((close) => (
                      <InlinePolicy kind={kind} holder={name} policy={policy.name} onClose={close} onDone={change} />
                    ))
                  }
                >
                  {policy.name}
                </Button>
              ),
          },
          {
            header: 'Type',
            value: ({ arn }) =>
              arn === undefined ? 'Inline' : arn.includes('::aws:') ? 'AWS managed' : 'Customer managed',
          },
          { header: 'Through', value: ({ from }) => from },
        ]}
        empty={<Box color="text-body-secondary">No policy allows anything here yet.</Box>}
        actions={([selected]) => (
          <>
            <Button
              disabled={selected?.from !== 'directly'}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title={`Remove ${selected!.name}?`}
                    submit="Remove"
                    onClose={close}
                    run={() => remove(selected!)}
                  >
                    What the policy allows is no longer allowed from the next call on.
                  </Dialog>
                ))
              }
            >
              Remove
            </Button>
            <Button
              onClick={() =>
                open((close) => <InlinePolicy kind={kind} holder={name} onClose={close} onDone={change} />)
              }
            >
              Write inline policy
            </Button>
            <Button
              variant="primary"
              onClick={() =>
                open((close) => <AttachPolicies kind={kind} holder={name} onClose={close} onDone={change} />)
              }
            >
              Attach policies
            </Button>
          </>
        )}
      />
      {dialog}
    </>
  )
}

async function policiesOf(client: Client, kind: HolderKind, name: string): Promise<readonly HeldPolicy[]> {
  const own = await directPolicies(client, kind, name)
  if (kind !== 'user') return own
  const groups = await client.list('iam', 'ListGroupsForUser', { UserName: name }, 'Groups')
  const through = await Promise.all(
    groups.map(async ({ GroupName }) =>
      (await directPolicies(client, 'group', GroupName!)).map((policy) => ({ ...policy, from: `group ${GroupName}` })),
    ),
  )
  return [...own, ...through.flat()]
}

async function directPolicies(client: Client, kind: HolderKind, name: string): Promise<readonly HeldPolicy[]> {
  const [attached, inline] = await Promise.all([listAttached(client, kind, name), listInline(client, kind, name)])
  return [
    ...attached.map(({ PolicyName, PolicyArn }) => ({ name: PolicyName!, arn: PolicyArn!, from: 'directly' })),
    ...inline.map((policy) => ({ name: policy, arn: undefined, from: 'directly' })),
  ]
}

const listAttached = (client: Client, kind: HolderKind, name: string) =>
  kind === 'user'
    ? client.list('iam', 'ListAttachedUserPolicies', { UserName: name }, 'AttachedPolicies')
    : kind === 'group'
      ? client.list('iam', 'ListAttachedGroupPolicies', { GroupName: name }, 'AttachedPolicies')
      : client.list('iam', 'ListAttachedRolePolicies', { RoleName: name }, 'AttachedPolicies')

const listInline = (client: Client, kind: HolderKind, name: string) =>
  kind === 'user'
    ? client.list('iam', 'ListUserPolicies', { UserName: name }, 'PolicyNames')
    : kind === 'group'
      ? client.list('iam', 'ListGroupPolicies', { GroupName: name }, 'PolicyNames')
      : client.list('iam', 'ListRolePolicies', { RoleName: name }, 'PolicyNames')

export const attach = (client: Client, kind: HolderKind, name: string, arn: string): Promise<unknown> =>
  kind === 'user'
    ? client.call('iam', 'AttachUserPolicy', { UserName: name, PolicyArn: arn })
    : kind === 'group'
      ? client.call('iam', 'AttachGroupPolicy', { GroupName: name, PolicyArn: arn })
      : client.call('iam', 'AttachRolePolicy', { RoleName: name, PolicyArn: arn })

export const detach = (client: Client, kind: HolderKind, name: string, arn: string): Promise<unknown> =>
  kind === 'user'
    ? client.call('iam', 'DetachUserPolicy', { UserName: name, PolicyArn: arn })
    : kind === 'group'
      ? client.call('iam', 'DetachGroupPolicy', { GroupName: name, PolicyArn: arn })
      : client.call('iam', 'DetachRolePolicy', { RoleName: name, PolicyArn: arn })

export const deleteInline = (client: Client, kind: HolderKind, name: string, policy: string): Promise<unknown> =>
  kind === 'user'
    ? client.call('iam', 'DeleteUserPolicy', { UserName: name, PolicyName: policy })
    : kind === 'group'
      ? client.call('iam', 'DeleteGroupPolicy', { GroupName: name, PolicyName: policy })
      : client.call('iam', 'DeleteRolePolicy', { RoleName: name, PolicyName: policy })

const putInline = (
  client: Client,
  kind: HolderKind,
  name: string,
  policy: string,
  document: string,
): Promise<unknown> =>
  kind === 'user'
    ? client.call('iam', 'PutUserPolicy', { UserName: name, PolicyName: policy, PolicyDocument: document })
    : kind === 'group'
      ? client.call('iam', 'PutGroupPolicy', { GroupName: name, PolicyName: policy, PolicyDocument: document })
      : client.call('iam', 'PutRolePolicy', { RoleName: name, PolicyName: policy, PolicyDocument: document })

const getInline = (client: Client, kind: HolderKind, name: string, policy: string) =>
  kind === 'user'
    ? client.call('iam', 'GetUserPolicy', { UserName: name, PolicyName: policy })
    : kind === 'group'
      ? client.call('iam', 'GetGroupPolicy', { GroupName: name, PolicyName: policy })
      : client.call('iam', 'GetRolePolicy', { RoleName: name, PolicyName: policy })

interface ChangeProps {
  readonly kind: HolderKind
  readonly holder: string
  readonly onClose: () => void
  readonly onDone: (text: string) => void
}

/** Attaches managed policies, the account's own first. */
function AttachPolicies({ kind, holder, onClose, onDone }: ChangeProps) {
  const { client } = useMerlon()
  const [chosen, setChosen] = useState<readonly MultiselectProps.Option[]>([])
  const { options, loading } = useManagedPolicies()
  const run = async () => {
    for (const { value } of chosen) await attach(client, kind, holder, value!)
    onDone(`${chosen.map(({ label }) => label).join(', ')} attached to ${holder}.`)
  }
  return (
    <Dialog
      title={`Attach policies to ${holder}`}
      submit="Attach"
      onClose={onClose}
      run={run}
      disabled={chosen.length === 0}
    >
      <FormField label="Policies">
        <Multiselect
          selectedOptions={chosen}
          options={options}
          filteringType="auto"
          statusType={loading ? 'loading' : 'finished'}
          loadingText="Loading policies"
          placeholder="Choose policies"
          virtualScroll
          onChange={({ detail }) => setChosen(detail.selectedOptions)}
        />
      </FormField>
    </Dialog>
  )
}

export function useManagedPolicies() {
  const own = useLoaded('own policies', (client) => client.list('iam', 'ListPolicies', { Scope: 'Local' }, 'Policies'))
  const aws = useLoaded('AWS policies', (client) =>
    client.list('iam', 'ListPolicies', { Scope: 'AWS', MaxItems: 1000 }, 'Policies'),
  )
  const optionOf = ({
    PolicyName,
    Arn,
  }: {
    readonly PolicyName?: string | undefined
    readonly Arn?: string | undefined
  }) => ({ label: PolicyName!, value: Arn! })
  const groups = [
    { label: 'Of this account', options: (own.data ?? []).map(optionOf) },
    { label: 'Of AWS', options: (aws.data ?? []).map(optionOf) },
  ]
  return { options: groups.filter(({ options }) => options.length > 0), loading: own.loading || aws.loading }
}

function InlinePolicy({ kind, holder, policy, onClose, onDone }: ChangeProps & { readonly policy?: string }) {
  const { client } = useMerlon()
  const [name, setName] = useState(policy ?? '')
  const [edited, setEdited] = useState<string>()
  const saved = useLoaded(policy && `${kind} ${holder} ${policy}`, async (from) =>
    formatted(decoded((await getInline(from, kind, holder, policy!)).PolicyDocument) ?? ''),
  )
  const text = edited ?? saved.data ?? (policy ? '' : NEW_POLICY)
  const run = async () => {
    await putInline(client, kind, holder, name, text)
    onDone(`${name} was saved.`)
  }
  return (
    <Dialog
      title={policy ? `Inline policy ${policy}` : `Inline policy for ${holder}`}
      submit="Save"
      size="large"
      onClose={onClose}
      run={run}
      disabled={name === '' || !isJson(text)}
    >
      {!policy && (
        <FormField label="Name">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
      )}
      <PolicyEditor value={text} onChange={setEdited} kind="identity" label="Policy document" />
    </Dialog>
  )
}
