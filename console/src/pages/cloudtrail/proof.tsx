/** What proves the audit log: signed digests of trails, and findings of tampering. */
import Box from '@cloudscape-design/components/box'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { loadProof, type ProofState } from '../../api/session.ts'
import { hrefOf } from '../../app/router.ts'
import { Code, Fields } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeFromNow } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { EventTable } from './event-table.tsx'
import { loadEvents } from './load-events.ts'

export default function Proof() {
  const tampering = useLoaded('tampering', (client) =>
    loadEvents(client, { attribute: 'EventName', value: 'TamperingDetected' }, 100),
  )
  const state = useLoaded('proof', () => loadProof())
  const trails = useLoaded('trails and digests', async (client) => {
    const { trailList = [] } = await client.call('cloudtrail', 'DescribeTrails', {})
    return Promise.all(
      trailList.map(async (trail) => ({
        trail,
        status: await client.call('cloudtrail', 'GetTrailStatus', { Name: trail.TrailARN! }).catch(() => undefined),
      })),
    )
  })
  const keys = useLoaded('public keys', (client) => client.list('cloudtrail', 'ListPublicKeys', {}, 'PublicKeyList'))
  return (
    <Page
      title="Proof"
      description="Every record is chained to the one before by hash and MAC, and signed in checkpoints."
    >
      <Container header={<Header variant="h2">State</Header>}>
        {tampering.data && tampering.data.length > 0 ? (
          <StatusIndicator type="error">
            Tampering was detected {tampering.data.length} times: see below.
          </StatusIndicator>
        ) : (
          <StatusIndicator type={tampering.error ? 'info' : 'success'}>
            {tampering.error ? 'The log cannot be read.' : 'The server has detected no tampering in this Region.'}
          </StatusIndicator>
        )}
        <Box padding={{ vertical: 's' }}>
          <Fields
            items={{
              'Records of this account': state.data && inWords(state.data),
              'Last checkpoint': state.data && <LastCheckpoint state={state.data} />,
              'Last check of the whole log': state.data && <LastVerification state={state.data} />,
            }}
          />
        </Box>
        <Box color="text-body-secondary">
          Each record holds the hash of the one before, so none can be changed, removed or put in between without
          breaking its chain. A checkpoint is a signed statement of the ends of all chains; copies kept elsewhere prove
          what the log was. The server checks the last record of its chains when it starts, and each sealed value when
          it reads it. An operator checks the whole log with <Code>merlon audit verify</Code>: that needs the data
          directory, so this page cannot do it.
        </Box>
      </Container>
      {tampering.data && tampering.data.length > 0 && <EventTable title="Tampering" loaded={tampering} />}
      <ResourceTable
        title="Trails"
        noun="trail"
        description="A trail delivers the log to a bucket; its digests let anyone with the public key check it."
        loaded={trails}
        idOf={({ trail }) => trail.TrailARN!}
        empty="There is no trail. Create one with aws cloudtrail create-trail."
        columns={[
          {
            header: 'Trail',
            value: ({ trail }) => trail.Name,
            href: ({ trail }) => hrefOf(['services', 'cloudtrail', 'DescribeTrails', trail.Name!]),
          },
          {
            header: 'Delivers',
            value: ({ status }) => status?.IsLogging,
            cell: ({ status }) =>
              status?.IsLogging ? (
                <StatusIndicator>Yes</StatusIndicator>
              ) : (
                <StatusIndicator type="stopped">No</StatusIndicator>
              ),
          },
          {
            header: 'Signed digests',
            value: ({ trail }) => trail.LogFileValidationEnabled,
            cell: ({ trail }) =>
              trail.LogFileValidationEnabled ? (
                <StatusIndicator>On</StatusIndicator>
              ) : (
                <StatusIndicator type="warning">Off</StatusIndicator>
              ),
          },
          {
            header: 'Last delivery',
            value: ({ status }) => status?.LatestDeliveryTime,
            cell: ({ status }) => timeFromNow(status?.LatestDeliveryTime),
          },
          {
            header: 'Last digest',
            value: ({ status }) => status?.LatestDigestDeliveryTime,
            cell: ({ status }) => timeFromNow(status?.LatestDigestDeliveryTime),
          },
          {
            header: 'Last error',
            value: ({ status }) => status?.LatestDeliveryError ?? status?.LatestDigestDeliveryError,
          },
          { header: 'Bucket', value: ({ trail }) => trail.S3BucketName },
        ]}
      />
      <ResourceTable
        title="Public keys of the digests"
        noun="key"
        loaded={keys}
        idOf={({ Fingerprint }) => Fingerprint!}
        empty="No digest was signed in the last day."
        columns={[
          { header: 'Fingerprint', value: ({ Fingerprint }) => Fingerprint },
          { header: 'Valid from', value: ({ ValidityStartTime }) => ValidityStartTime },
          { header: 'Valid to', value: ({ ValidityEndTime }) => ValidityEndTime },
        ]}
      />
    </Page>
  )
}

function inWords({ chains, records }: ProofState): string {
  if (records === 0) return 'None yet'
  const count = records.toLocaleString('en-US')
  return `${count} ${records === 1 ? 'record' : 'records'} in ${chains} ${chains === 1 ? 'chain' : 'chains'}`
}

function LastCheckpoint({ state: { checkpoint } }: { readonly state: ProofState }) {
  if (!checkpoint)
    return <StatusIndicator type="pending">None yet: the first is signed within a minute</StatusIndicator>
  return (
    <StatusIndicator>
      Number {checkpoint.number}, signed {timeFromNow(new Date(checkpoint.time))}
    </StatusIndicator>
  )
}

function LastVerification({ state: { verification } }: { readonly state: ProofState }) {
  if (!verification) return <StatusIndicator type="info">Never</StatusIndicator>
  const { time, findings } = verification
  return findings === 0 ? (
    <StatusIndicator>No findings, {timeFromNow(new Date(time))}</StatusIndicator>
  ) : (
    <StatusIndicator type="error">
      {findings} {findings === 1 ? 'finding' : 'findings'}, {timeFromNow(new Date(time))}
    </StatusIndicator>
  )
}
