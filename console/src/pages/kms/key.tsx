/** One KMS key: its policy, grants, rotation and use. */
import Button from '@cloudscape-design/components/button'
import ButtonDropdown from '@cloudscape-design/components/button-dropdown'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import Tabs from '@cloudscape-design/components/tabs'
import Toggle from '@cloudscape-design/components/toggle'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields, formatted } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { isJson, PolicyEditor } from '../../ui/policy-editor.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { Tags } from '../../ui/tags.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { EventTable } from '../cloudtrail/event-table.tsx'
import { loadEvents } from '../cloudtrail/load-events.ts'
import { type KeyMetadata, KeyState, usageShown } from './keys.tsx'

export default function Key({ rest: [id = ''] }: { readonly rest: readonly string[] }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const loaded = useLoaded(`key ${id}`, async (from) => {
    const { KeyMetadata } = await from.call('kms', 'DescribeKey', { KeyId: id })
    const [aliases, tags] = await Promise.all([
      from.list('kms', 'ListAliases', { KeyId: id }, 'Aliases').catch(() => []),
      from.list('kms', 'ListResourceTags', { KeyId: id }, 'Tags').catch(() => []),
    ])
    return { key: KeyMetadata!, aliases: aliases.map(({ AliasName }) => AliasName!), tags }
  })
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  const { key, aliases = [], tags = [] } = loaded.data ?? {}
  const done = (text: string) => {
    say(text)
    loaded.reload()
  }
  const act = (change: Promise<unknown>, text: string) =>
    change.then(
      () => done(text),
      (error: Error) => say(error.message, 'error'),
    )
  const choose = (action: string) => {
    const KeyId = id
    if (action === 'enable') return void act(client.call('kms', 'EnableKey', { KeyId }), 'The key is enabled.')
    if (action === 'cancel')
      return void act(
        client.call('kms', 'CancelKeyDeletion', { KeyId }),
        'The deletion was canceled. The key is disabled.',
      )
    if (action === 'alias') return open((close) => <AddAlias id={id} onClose={close} onDone={done} />)
    if (action === 'disable')
      return open((close) => (
        <Dialog
          title="Disable this key?"
          submit="Disable"
          onClose={close}
          run={() => client.call('kms', 'DisableKey', { KeyId }).then(() => done('The key is disabled.'))}
        >
          What it has encrypted cannot be decrypted until it is enabled again.
        </Dialog>
      ))
    open((close) => <ScheduleDeletion id={id} onClose={close} onDone={done} />)
  }
  return (
    <Page
      title={aliases[0]?.replace(/^alias\//, '') ?? id}
      description={key?.Description}
      trail={[['KMS keys', ['kms']]]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button href={hrefOf(['iam', 'who-can'], { action: 'kms:Decrypt', resource: key?.Arn ?? '' })}>
            Who can use it?
          </Button>
          <ButtonDropdown
            disabled={!key || key.KeyManager === 'AWS'}
            items={[
              ...(key?.KeyState === 'PendingDeletion'
                ? [{ id: 'cancel', text: 'Cancel deletion' }]
                : key?.KeyState === 'Disabled'
                  ? [{ id: 'enable', text: 'Enable' }]
                  : [{ id: 'disable', text: 'Disable' }]),
              { id: 'alias', text: 'Add alias' },
              { id: 'delete', text: 'Schedule deletion', disabled: key?.KeyState === 'PendingDeletion' },
            ]}
            onItemClick={({ detail }) => choose(detail.id)}
          >
            Actions
          </ButtonDropdown>
        </SpaceBetween>
      }
    >
      <Container>
        <Fields
          columns={4}
          items={{
            State: <KeyState state={key?.KeyState} />,
            Type: key?.KeySpec,
            Use: usageShown(key?.KeyUsage),
            Origin: key?.Origin,
            ARN: key?.Arn && <Copyable text={key.Arn} />,
            Aliases: aliases.join(', ') || undefined,
            Created: timeShown(key?.CreationDate),
            ...(key?.DeletionDate && { 'Deleted on': timeShown(key.DeletionDate) }),
          }}
        />
      </Container>
      {key && (
        <Tabs
          tabs={[
            { id: 'policy', label: 'Key policy', content: <KeyPolicy id={id} /> },
            { id: 'grants', label: 'Grants', content: <Grants id={id} /> },
            { id: 'rotation', label: 'Rotation', content: <Rotation id={id} meta={key} /> },
            { id: 'use', label: 'Use', content: <Use arn={key.Arn!} /> },
            {
              id: 'tags',
              label: 'Tags',
              content: (
                <Tags
                  tags={tags.map(({ TagKey, TagValue }) => ({ key: TagKey!, value: TagValue! }))}
                  save={async (added, removed) => {
                    if (added.length > 0)
                      await client.call('kms', 'TagResource', {
                        KeyId: id,
                        Tags: added.map((tag) => ({ TagKey: tag.key, TagValue: tag.value })),
                      })
                    if (removed.length > 0)
                      await client.call('kms', 'UntagResource', { KeyId: id, TagKeys: [...removed] })
                    loaded.reload()
                  }}
                />
              ),
            },
          ]}
        />
      )}
      {dialog}
    </Page>
  )
}

interface ChangeProps {
  readonly id: string
  readonly onClose: () => void
  readonly onDone: (text: string) => void
}

function AddAlias({ id, onClose, onDone }: ChangeProps) {
  const { client } = useMerlon()
  const [name, setName] = useState('')
  return (
    <Dialog
      title="Add alias"
      submit="Add"
      onClose={onClose}
      disabled={name === ''}
      run={() =>
        client
          .call('kms', 'CreateAlias', { AliasName: `alias/${name}`, TargetKeyId: id })
          .then(() => onDone('The alias was added.'))
      }
    >
      <FormField label="Alias">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value.replace(/^alias\//, ''))} />
      </FormField>
    </Dialog>
  )
}

function ScheduleDeletion({ id, onClose, onDone }: ChangeProps) {
  const { client } = useMerlon()
  const [days, setDays] = useState('30')
  const number = Number(days)
  return (
    <Dialog
      title="Schedule the deletion of this key?"
      submit="Schedule deletion"
      confirm={id}
      onClose={onClose}
      disabled={!(number >= 7 && number <= 30)}
      run={() =>
        client
          .call('kms', 'ScheduleKeyDeletion', { KeyId: id, PendingWindowInDays: number })
          .then(() => onDone(`The key is deleted in ${days} days, unless that is canceled.`))
      }
    >
      What it has encrypted can never be decrypted again after that. The key cannot be used while it waits.
      <FormField label="Days to wait" constraintText="7 to 30">
        <Input value={days} type="number" onChange={({ detail }) => setDays(detail.value)} />
      </FormField>
    </Dialog>
  )
}

function KeyPolicy({ id }: { readonly id: string }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const [edited, setEdited] = useState<string>()
  const [error, setError] = useState<Error>()
  const loaded = useLoaded(`policy of key ${id}`, async (from) =>
    formatted((await from.call('kms', 'GetKeyPolicy', { KeyId: id, PolicyName: 'default' })).Policy!),
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} />
  const text = edited ?? loaded.data ?? ''
  const save = () =>
    client.call('kms', 'PutKeyPolicy', { KeyId: id, PolicyName: 'default', Policy: text }).then(() => {
      setError(undefined)
      setEdited(undefined)
      say('The key policy was saved.')
      loaded.reload()
    }, setError)
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <Button
              variant="primary"
              disabled={edited === undefined || edited === loaded.data || !isJson(text)}
              onClick={save}
            >
              Save
            </Button>
          }
        >
          Key policy
        </Header>
      }
    >
      <SpaceBetween size="m">
        {loaded.data !== undefined && (
          <PolicyEditor value={text} onChange={setEdited} kind="resource" label="Key policy" />
        )}
        {error && <ErrorAlert error={error} />}
      </SpaceBetween>
    </Container>
  )
}

function Grants({ id }: { readonly id: string }) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const grants = useLoaded(`grants of ${id}`, (from) => from.list('kms', 'ListGrants', { KeyId: id }, 'Grants'))
  return (
    <>
      <ResourceTable
        title="Grants"
        noun="grant"
        description="Operations that were granted to a principal beside the key policy."
        loaded={grants}
        idOf={({ GrantId }) => GrantId!}
        selectable="single"
        columns={[
          { header: 'Grantee', value: ({ GranteePrincipal }) => GranteePrincipal },
          { header: 'Operations', value: ({ Operations }) => Operations?.join(', ') },
          { header: 'Name', value: ({ Name }) => Name },
          { header: 'Constraints', value: ({ Constraints }) => Constraints && JSON.stringify(Constraints) },
          { header: 'Created', value: ({ CreationDate }) => CreationDate },
        ]}
        actions={([selected]) => (
          <Button
            disabled={!selected}
            onClick={() =>
              open((close) => (
                <Dialog
                  title="Revoke this grant?"
                  submit="Revoke"
                  onClose={close}
                  run={async () => {
                    await client.call('kms', 'RevokeGrant', { KeyId: id, GrantId: selected!.GrantId! })
                    grants.reload()
                  }}
                >
                  {selected!.GranteePrincipal} can no longer {selected!.Operations?.join(', ')} through it.
                </Dialog>
              ))
            }
          >
            Revoke
          </Button>
        )}
      />
      {dialog}
    </>
  )
}

function Rotation({ id, meta }: { readonly id: string; readonly meta: KeyMetadata }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const isRotatable = meta.KeySpec === 'SYMMETRIC_DEFAULT' && meta.KeyManager === 'CUSTOMER'
  const status = useLoaded(isRotatable ? `rotation of ${id}` : undefined, (from) =>
    from.call('kms', 'GetKeyRotationStatus', { KeyId: id }),
  )
  const past = useLoaded(isRotatable ? `rotations of ${id}` : undefined, (from) =>
    from.list('kms', 'ListKeyRotations', { KeyId: id }, 'Rotations'),
  )
  if (!isRotatable)
    return (
      <Container>
        Only symmetric keys of customers are rotated. Create another key and move its alias instead.
      </Container>
    )
  if (status.error) return <ErrorAlert error={status.error} />
  const change = (work: Promise<unknown>, text: string) =>
    work.then(
      () => {
        say(text)
        status.reload()
        past.reload()
      },
      (error: Error) => say(error.message, 'error'),
    )
  const isOn = status.data?.KeyRotationEnabled ?? false
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <Button
                onClick={() =>
                  change(client.call('kms', 'RotateKeyOnDemand', { KeyId: id }), 'The key is being rotated.')
                }
              >
                Rotate now
              </Button>
            }
          >
            Automatic rotation
          </Header>
        }
      >
        <SpaceBetween size="m">
          <Toggle
            checked={isOn}
            disabled={!status.data}
            onChange={() =>
              change(
                isOn
                  ? client.call('kms', 'DisableKeyRotation', { KeyId: id })
                  : client.call('kms', 'EnableKeyRotation', { KeyId: id }),
                isOn ? 'The key is no longer rotated.' : 'The key is rotated every year.',
              )
            }
          >
            Rotate this key
          </Toggle>
          {isOn && (
            <Fields
              items={{
                Every: `${status.data?.RotationPeriodInDays} days`,
                Next: `${timeShown(status.data?.NextRotationDate)} (${timeFromNow(status.data?.NextRotationDate)})`,
              }}
            />
          )}
        </SpaceBetween>
      </Container>
      <ResourceTable
        title="Rotations"
        noun="rotation"
        loaded={past}
        idOf={({ RotationDate }) => String(RotationDate?.getTime())}
        empty="The key has its first material."
        columns={[
          { header: 'Rotated', value: ({ RotationDate }) => RotationDate },
          { header: 'Type', value: ({ RotationType }) => (RotationType === 'ON_DEMAND' ? 'On demand' : 'Automatic') },
        ]}
      />
    </SpaceBetween>
  )
}

/** The newest calls on the key. */
const SHOWN_MAX = 200

function Use({ arn }: { readonly arn: string }) {
  const loaded = useLoaded(`use of ${arn}`, (client) =>
    loadEvents(client, { attribute: 'ResourceName', value: arn }, SHOWN_MAX),
  )
  const last = loaded.data?.find(
    ({ eventName, errorCode }) =>
      !errorCode &&
      /^(Encrypt|Decrypt|ReEncrypt|Sign|Verify|GenerateMac|VerifyMac|GenerateDataKey.*|DeriveSharedSecret)$/.test(
        eventName,
      ),
  )
  return (
    <EventTable
      title="Use"
      loaded={loaded}
      pageSize={20}
      description={
        last ? (
          <StatusIndicator type="info">
            Last used {timeFromNow(new Date(last.eventTime))}: {last.eventName}
          </StatusIndicator>
        ) : undefined
      }
      empty="No call on the key is recorded."
    />
  )
}
