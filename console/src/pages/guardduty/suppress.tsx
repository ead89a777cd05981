/** A filter that archives findings like one: what it matches is chosen from the finding. */
import Box from '@cloudscape-design/components/box'
import Checkbox from '@cloudscape-design/components/checkbox'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { addressOf, type Finding } from './threats.ts'

interface Props {
  readonly detector: string
  readonly finding: Finding
  readonly onClose: () => void
  readonly onDone: () => void
}

interface Choice {
  readonly path: string
  readonly label: string
  readonly value: string
}

function choicesOf(finding: Finding): readonly Choice[] {
  const key = finding.Resource?.AccessKeyDetails
  const bucket = finding.Resource?.S3BucketDetails?.[0]?.Name
  const instance = finding.Resource?.InstanceDetails?.InstanceId
  const address = addressOf(finding)
  const action = finding.Service?.Action?.ActionType
  const remote = action === 'AWS_API_CALL' ? 'awsApiCallAction' : 'networkConnectionAction'
  return [
    { path: 'type', label: 'Type', value: finding.Type! },
    ...(key?.UserName
      ? [{ path: 'resource.accessKeyDetails.userName', label: 'User or role', value: key.UserName }]
      : []),
    ...(bucket ? [{ path: 'resource.s3BucketDetails.name', label: 'Bucket', value: bucket }] : []),
    ...(instance ? [{ path: 'resource.instanceDetails.instanceId', label: 'Instance', value: instance }] : []),
    ...(address
      ? [{ path: `service.action.${remote}.remoteIpDetails.ipAddressV4`, label: 'From address', value: address }]
      : []),
  ]
}

export function Suppress({ detector, finding, onClose, onDone }: Props) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const choices = choicesOf(finding)
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(choices.map(({ path }) => path)))
  const Criterion = Object.fromEntries(
    choices.filter(({ path }) => chosen.has(path)).map(({ path, value }) => [path, { Equals: [value] }]),
  )
  const matching = useLoaded(chosen.size === 0 ? undefined : `matching ${JSON.stringify(Criterion)}`, (from) =>
    from.list('guardduty', 'ListFindings', { DetectorId: detector, FindingCriteria: { Criterion } }, 'FindingIds'),
  )
  const run = async () => {
    await client.call('guardduty', 'CreateFilter', {
      DetectorId: detector,
      Name: name,
      Action: 'ARCHIVE',
      FindingCriteria: { Criterion },
    })
    await client.call('guardduty', 'ArchiveFindings', { DetectorId: detector, FindingIds: [finding.Id!] })
    say(`New findings that match ${name} are archived.`)
    onDone()
  }
  return (
    <Dialog
      title="Suppress findings like this one"
      submit="Suppress"
      onClose={onClose}
      run={run}
      disabled={name === '' || chosen.size === 0}
    >
      <FormField label="Name of the filter">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Findings that have all of these">
        <SpaceBetween size="xxs">
          {choices.map(({ path, label, value }) => (
            <Checkbox
              key={path}
              checked={chosen.has(path)}
              onChange={({ detail }) => {
                const next = new Set(chosen)
                if (detail.checked) next.add(path)
                else next.delete(path)
                setChosen(next)
              }}
            >
              {label}: {value}
            </Checkbox>
          ))}
        </SpaceBetween>
      </FormField>
      {matching.data && (
        <Box>
          {matching.data.length === 1 ? '1 finding' : `${matching.data.length} findings`} of the last 90 days match it.
          Attacks that match are suppressed, too.
        </Box>
      )}
    </Dialog>
  )
}
