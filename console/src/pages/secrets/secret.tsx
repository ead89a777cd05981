/** One secret: its versions and rotation on a time line, and its value, shown for a reason. */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Tabs from '@cloudscape-design/components/tabs'
import Textarea from '@cloudscape-design/components/textarea'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields, formatted } from '../../ui/fields.tsx'
import { JsonView } from '../../ui/json-view.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { Tags } from '../../ui/tags.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { EventTable } from '../cloudtrail/event-table.tsx'
import { loadEvents } from '../cloudtrail/load-events.ts'
import { VersionTimeLine } from './version-time-line.tsx'

export default function Secret({ rest }: { readonly rest: readonly string[] }) {
  const name = rest.join('/')
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const loaded = useLoaded(`secret ${name}`, (from) =>
    from.call('secretsmanager', 'DescribeSecret', { SecretId: name }),
  )
  const versions = useLoaded(`versions of ${name}`, (from) =>
    from.list('secretsmanager', 'ListSecretVersionIds', { SecretId: name, IncludeDeprecated: true }, 'Versions'),
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  const secret = loaded.data
  const done = (text: string) => {
    say(text)
    loaded.reload()
    versions.reload()
  }
  return (
    <Page
      title={name}
      description={secret?.Description}
      trail={[['Secrets', ['secrets']]]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button
            href={hrefOf(['iam', 'who-can'], { action: 'secretsmanager:GetSecretValue', resource: secret?.ARN ?? '' })}
          >
            Who can read it?
          </Button>
          {secret?.DeletedDate ? (
            <Button
              onClick={() =>
                client.call('secretsmanager', 'RestoreSecret', { SecretId: name }).then(
                  () => done('The secret was restored.'),
                  (error: Error) => say(error.message, 'error'),
                )
              }
            >
              Restore
            </Button>
          ) : (
            <Button
              onClick={() =>
                open((close) => (
                  <Dialog
                    title={`Delete ${name}?`}
                    submit="Delete"
                    confirm={name}
                    onClose={close}
                    run={() =>
                      client
                        .call('secretsmanager', 'DeleteSecret', { SecretId: name, RecoveryWindowInDays: 30 })
                        .then(() => done('The secret is deleted in 30 days, and can be restored until then.'))
                    }
                  >
                    It cannot be read from now on, and is deleted for good after 30 days.
                  </Dialog>
                ))
              }
            >
              Delete
            </Button>
          )}
          <Button onClick={() => open((close) => <PutValue name={name} onClose={close} onDone={done} />)}>
            New value
          </Button>
          <Button variant="primary" onClick={() => open((close) => <Reveal name={name} onClose={close} />)}>
            Reveal value
          </Button>
        </SpaceBetween>
      }
    >
      {secret?.DeletedDate && (
        <Alert type="warning">
          The secret is deleted after {timeShown(secret.DeletedDate)} and its recovery window.
        </Alert>
      )}
      <Container>
        <Fields
          items={{
            ARN: secret?.ARN && <Copyable text={secret.ARN} />,
            'Encryption key': secret?.KmsKeyId ?? 'aws/secretsmanager',
            'Last changed': timeFromNow(secret?.LastChangedDate),
            'Last read': timeFromNow(secret?.LastAccessedDate),
            Rotation: secret?.RotationEnabled
              ? `every ${secret.RotationRules?.ScheduleExpression ?? `${secret.RotationRules?.AutomaticallyAfterDays} days`}`
              : 'off',
            'Next rotation': secret?.NextRotationDate && timeShown(secret.NextRotationDate),
          }}
        />
      </Container>
      <Tabs
        tabs={[
          {
            id: 'versions',
            label: 'Versions and rotation',
            content: versions.error ? (
              <ErrorAlert error={versions.error} />
            ) : (
              <Container
                header={
                  <Header
                    variant="h2"
                    actions={
                      <Button
                        disabled={!secret?.RotationEnabled}
                        onClick={() =>
                          client.call('secretsmanager', 'RotateSecret', { SecretId: name }).then(
                            () => done('The rotation has begun.'),
                            (error: Error) => say(error.message, 'error'),
                          )
                        }
                      >
                        Rotate now
                      </Button>
                    }
                  >
                    Versions
                  </Header>
                }
              >
                <VersionTimeLine
                  versions={versions.data ?? []}
                  nextRotation={secret?.NextRotationDate}
                  lastRotation={secret?.LastRotatedDate}
                />
              </Container>
            ),
          },
          { id: 'access', label: 'Access', content: <Accesses arn={secret?.ARN} /> },
          {
            id: 'tags',
            label: 'Tags',
            content: (
              <Tags
                tags={(secret?.Tags ?? []).map(({ Key, Value }) => ({ key: Key ?? '', value: Value ?? '' }))}
                save={async (added, removed) => {
                  if (added.length > 0)
                    await client.call('secretsmanager', 'TagResource', {
                      SecretId: name,
                      Tags: added.map(({ key, value }) => ({ Key: key, Value: value })),
                    })
                  if (removed.length > 0)
                    await client.call('secretsmanager', 'UntagResource', { SecretId: name, TagKeys: [...removed] })
                  loaded.reload()
                }}
              />
            ),
          },
        ]}
      />
      {dialog}
    </Page>
  )
}

function Accesses({ arn }: { readonly arn: string | undefined }) {
  const loaded = useLoaded(arn && `access to ${arn}`, (client) =>
    loadEvents(client, { attribute: 'ResourceName', value: arn }, 200),
  )
  return <EventTable title="Access" loaded={loaded} pageSize={20} empty="No call on the secret is recorded." />
}

const REASON_MIN = 5
const REASON_MAX = 200

/** The reason is recorded with the read. The value leaves the page with the dialog. */
function Reveal({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [reason, setReason] = useState('')
  const [value, setValue] = useState<string>()
  if (value === undefined) {
    return (
      <Dialog
        title={`Reveal ${name}`}
        submit="Reveal"
        keepOpen
        onClose={onClose}
        disabled={reason.trim().length < REASON_MIN}
        run={async () => {
          const answer = await client
            .withReason(reason.trim())
            .call('secretsmanager', 'GetSecretValue', { SecretId: name })
          setValue(answer.SecretString ?? `${answer.SecretBinary?.length ?? 0} bytes that are no text`)
        }}
      >
        <FormField
          label="Reason"
          description="It is recorded in the audit log with the read."
          constraintText={`At least ${REASON_MIN} characters`}
        >
          <Input value={reason} autoFocus onChange={({ detail }) => setReason(detail.value.slice(0, REASON_MAX))} />
        </FormField>
      </Dialog>
    )
  }
  return (
    <Dialog title={name} submit="Hide" onClose={onClose} run={async () => undefined}>
      <JsonView text={formatted(value)} label="Secret value" />
    </Dialog>
  )
}

function PutValue({
  name,
  onClose,
  onDone,
}: {
  readonly name: string
  readonly onClose: () => void
  readonly onDone: (text: string) => void
}) {
  const { client } = useMerlon()
  const [value, setValue] = useState('')
  return (
    <Dialog
      title={`New value of ${name}`}
      submit="Save"
      onClose={onClose}
      disabled={value === ''}
      run={() =>
        client
          .call('secretsmanager', 'PutSecretValue', { SecretId: name, SecretString: value })
          .then(() => onDone('The new value is current. The one before is kept as AWSPREVIOUS.'))
      }
    >
      <FormField label="Value">
        <Textarea
          value={value}
          rows={6}
          spellcheck={false}
          autoComplete={false}
          autoFocus
          onChange={({ detail }) => setValue(detail.value)}
        />
      </FormField>
    </Dialog>
  )
}
