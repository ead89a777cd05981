/** The KMS keys of a Region. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import Select from '@cloudscape-design/components/select'
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator'
import { useState } from 'react'
import type { Input as InputOf, Output } from '../../api/sdk.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'

export type KeyMetadata = NonNullable<Output<'kms', 'DescribeKey'>['KeyMetadata']>

interface Row {
  readonly key: KeyMetadata
  readonly aliases: readonly string[]
}

export default function Keys() {
  const { dialog, open } = useDialog()
  const keys = useLoaded('KMS keys', async (client): Promise<readonly Row[]> => {
    const [all, aliases] = await Promise.all([
      client.list('kms', 'ListKeys', {}, 'Keys'),
      client.list('kms', 'ListAliases', {}, 'Aliases'),
    ])
    return Promise.all(
      all.map(async ({ KeyId, KeyArn }) => ({
        key: await client.call('kms', 'DescribeKey', { KeyId: KeyId! }).then(
          ({ KeyMetadata }) => KeyMetadata!,
          () => ({ KeyId: KeyId!, Arn: KeyArn! }),
        ),
        aliases: aliases.filter(({ TargetKeyId }) => TargetKeyId === KeyId).map(({ AliasName }) => AliasName!),
      })),
    )
  })
  return (
    <Page title="KMS keys" description="Keys that encrypt, sign and authenticate. Their bytes never leave the server.">
      <ResourceTable<Row>
        title="Keys"
        noun="key"
        loaded={keys}
        idOf={({ key }) => key.KeyId!}
        columns={[
          {
            header: 'Alias',
            value: ({ aliases, key }) => aliases[0]?.replace(/^alias\//, '') ?? key.KeyId,
            href: ({ key }) => hrefOf(['kms', key.KeyId!]),
          },
          { header: 'State', value: ({ key }) => key.KeyState, cell: ({ key }) => <KeyState state={key.KeyState} /> },
          { header: 'Description', value: ({ key }) => key.Description },
          { header: 'Type', value: ({ key }) => key.KeySpec },
          { header: 'Use', value: ({ key }) => usageShown(key.KeyUsage) },
          { header: 'Owner', value: ({ key }) => (key.KeyManager === 'AWS' ? 'AWS managed' : 'Customer managed') },
          { header: 'Key ID', value: ({ key }) => key.KeyId },
        ]}
        actions={() => (
          <Button variant="primary" onClick={() => open((close) => <CreateKey onClose={close} />)}>
            Create key
          </Button>
        )}
      />
      {dialog}
    </Page>
  )
}

const STATES: Readonly<Record<string, StatusIndicatorProps.Type>> = {
  Enabled: 'success',
  Disabled: 'stopped',
  PendingDeletion: 'warning',
  PendingImport: 'pending',
  Unavailable: 'error',
}

export function KeyState({ state }: { readonly state: string | undefined }) {
  return (
    <StatusIndicator type={STATES[state ?? ''] ?? 'pending'}>
      {state
        ?.replace(/([a-z])([A-Z])/g, '$1 $2')
        .replace(/ D/, ' d')
        .replace(/ I/, ' i') ?? 'Not readable'}
    </StatusIndicator>
  )
}

export const usageShown = (usage: string | undefined): string | undefined =>
  usage && usage.charAt(0) + usage.slice(1).toLowerCase().replaceAll('_', ' ').replace('mac', 'MAC')

const SPECS = [
  { value: 'SYMMETRIC_DEFAULT', label: 'Symmetric: encrypt and decrypt', usage: 'ENCRYPT_DECRYPT' },
  { value: 'RSA_3072', label: 'RSA 3072: sign and verify', usage: 'SIGN_VERIFY' },
  { value: 'ECC_NIST_P256', label: 'ECC NIST P-256: sign and verify', usage: 'SIGN_VERIFY' },
  { value: 'ML_DSA_65', label: 'ML-DSA 65: sign and verify, resists quantum computers', usage: 'SIGN_VERIFY' },
  { value: 'HMAC_256', label: 'HMAC 256: create and verify codes', usage: 'GENERATE_VERIFY_MAC' },
] as const

function CreateKey({ onClose }: { readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [spec, setSpec] = useState<(typeof SPECS)[number]>(SPECS[0])
  const [alias, setAlias] = useState('')
  const [description, setDescription] = useState('')
  const run = async () => {
    const input: InputOf<'kms', 'CreateKey'> = {
      KeySpec: spec.value,
      KeyUsage: spec.usage,
      ...(description !== '' && { Description: description }),
    }
    const { KeyMetadata } = await client.call('kms', 'CreateKey', input)
    if (alias !== '')
      await client.call('kms', 'CreateAlias', { AliasName: `alias/${alias}`, TargetKeyId: KeyMetadata!.KeyId! })
    navigate(['kms', KeyMetadata!.KeyId!])
  }
  return (
    <Dialog title="Create key" submit="Create key" onClose={onClose} run={run}>
      <FormField label="Type">
        <Select
          selectedOption={spec}
          options={[...SPECS]}
          onChange={({ detail }) => setSpec(SPECS.find(({ value }) => value === detail.selectedOption.value)!)}
        />
      </FormField>
      <FormField label="Alias" description="A name for people and programs. It can point to another key later.">
        <Input
          value={alias}
          placeholder="orders"
          onChange={({ detail }) => setAlias(detail.value.replace(/^alias\//, ''))}
        />
      </FormField>
      <FormField label="Description">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
    </Dialog>
  )
}
