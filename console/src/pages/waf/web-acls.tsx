/** Web ACLs and IP sets of a Region. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import SegmentedControl from '@cloudscape-design/components/segmented-control'
import Tabs from '@cloudscape-design/components/tabs'
import Textarea from '@cloudscape-design/components/textarea'
import { useState } from 'react'
import type { Output } from '../../api/sdk.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Code } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'

const Scope = 'REGIONAL' as const

export default function WebAcls() {
  return (
    <Page title="Web ACLs" description="Rules that filter the requests to load balancers and user pools.">
      <Tabs
        tabs={[
          { id: 'acls', label: 'Web ACLs', content: <AclTable /> },
          { id: 'sets', label: 'IP sets', content: <IpSets /> },
        ]}
      />
    </Page>
  )
}

function AclTable() {
  const acls = useLoaded('web ACLs', (client) => client.list('wafv2', 'ListWebACLs', { Scope }, 'WebACLs'))
  return (
    <ResourceTable
      title="Web ACLs"
      noun="web ACL"
      loaded={acls}
      idOf={({ Id }) => Id!}
      columns={[
        { header: 'Name', value: ({ Name }) => Name, href: ({ Name, Id }) => hrefOf(['waf', Name!, Id!]) },
        { header: 'Description', value: ({ Description }) => Description },
      ]}
      actions={() => <Button href={hrefOf(['services', 'wafv2', 'call', 'CreateWebACL'])}>Create web ACL</Button>}
    />
  )
}

type IpSet = NonNullable<Output<'wafv2', 'GetIPSet'>['IPSet']>

interface Row {
  readonly set: IpSet
  readonly lockToken: string
}

function IpSets() {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const sets = useLoaded('IP sets', async (from): Promise<readonly Row[]> => {
    const all = await from.list('wafv2', 'ListIPSets', { Scope }, 'IPSets')
    return Promise.all(
      all.map(async ({ Name, Id }) => {
        const { IPSet, LockToken } = await from.call('wafv2', 'GetIPSet', { Scope, Name: Name!, Id: Id! })
        return { set: IPSet!, lockToken: LockToken! }
      }),
    )
  })
  return (
    <>
      <ResourceTable<Row>
        title="IP sets"
        noun="IP set"
        loaded={sets}
        idOf={({ set }) => set.Id!}
        selectable="single"
        columns={[
          { header: 'Name', value: ({ set }) => set.Name },
          { header: 'Family', value: ({ set }) => set.IPAddressVersion },
          {
            header: 'Addresses',
            value: ({ set }) => set.Addresses?.join(' '),
            cell: ({ set }) => <Code>{shortened(set.Addresses ?? [])}</Code>,
          },
        ]}
        actions={([selected]) => (
          <>
            <Button
              disabled={!selected}
              onClick={() =>
                open((close) => (
                  <Dialog
                    title={`Delete ${selected!.set.Name}?`}
                    submit="Delete"
                    onClose={close}
                    run={() =>
                      client
                        .call('wafv2', 'DeleteIPSet', {
                          Scope,
                          Name: selected!.set.Name!,
                          Id: selected!.set.Id!,
                          LockToken: selected!.lockToken,
                        })
                        .then(sets.reload)
                    }
                  />
                ))
              }
            >
              Delete
            </Button>
            <Button
              disabled={!selected}
              onClick={() => open((close) => <EditIpSet row={selected!} onClose={close} onDone={sets.reload} />)}
            >
              Edit
            </Button>
            <Button
              variant="primary"
              onClick={() => open((close) => <CreateIpSet onClose={close} onDone={sets.reload} />)}
            >
              Create IP set
            </Button>
          </>
        )}
      />
      {dialog}
    </>
  )
}

const SHOWN_MAX = 8

const shortened = (addresses: readonly string[]): string =>
  addresses.length <= SHOWN_MAX
    ? addresses.join(', ') || '–'
    : `${addresses.slice(0, SHOWN_MAX).join(', ')} and ${addresses.length - SHOWN_MAX} more`

const linesOf = (text: string): string[] => text.split(/[\s,]+/).filter((line) => line !== '')

interface ChangeProps {
  readonly onClose: () => void
  readonly onDone: () => void
}

function Addresses({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) {
  return (
    <FormField label="Addresses" description="One block a line: 203.0.113.0/24, 198.51.100.7/32">
      <Textarea value={value} rows={8} onChange={({ detail }) => onChange(detail.value)} />
    </FormField>
  )
}

function EditIpSet({ row: { set, lockToken }, onClose, onDone }: ChangeProps & { readonly row: Row }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const [text, setText] = useState((set.Addresses ?? []).join('\n'))
  const run = async () => {
    await client.call('wafv2', 'UpdateIPSet', {
      Scope,
      Name: set.Name!,
      Id: set.Id!,
      LockToken: lockToken,
      Addresses: linesOf(text),
      ...(set.Description && { Description: set.Description }),
    })
    say(`${set.Name} was changed.`)
    onDone()
  }
  return (
    <Dialog title={`Edit ${set.Name}`} submit="Save" onClose={onClose} run={run}>
      <Addresses value={text} onChange={setText} />
    </Dialog>
  )
}

function CreateIpSet({ onClose, onDone }: ChangeProps) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  const [version, setVersion] = useState<'IPV4' | 'IPV6'>('IPV4')
  const [text, setText] = useState('')
  const run = () =>
    client
      .call('wafv2', 'CreateIPSet', { Scope, Name: name, IPAddressVersion: version, Addresses: linesOf(text) })
      .then(onDone)
  return (
    <Dialog title="Create IP set" submit="Create" onClose={onClose} run={run} disabled={name === ''}>
      <FormField label="Name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Family">
        <SegmentedControl
          label="Family"
          selectedId={version}
          options={[
            { id: 'IPV4', text: 'IPv4' },
            { id: 'IPV6', text: 'IPv6' },
          ]}
          onChange={({ detail }) => setVersion(detail.selectedId as 'IPV4' | 'IPV6')}
        />
      </FormField>
      <Addresses value={text} onChange={setText} />
    </Dialog>
  )
}
