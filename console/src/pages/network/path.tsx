/** Who reaches what? A path through the network, hop by hop, and the rule that blocks it. */
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import Select, { type SelectProps } from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { useState } from 'react'
import { replaceQuery, usePlace } from '../../app/router.ts'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Code, Muted } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { analyze, type Hop, type PathAnswer } from './analysis.ts'
import { nameTag } from './inventory.ts'

const PROTOCOLS = [
  { value: 'tcp', label: 'TCP' },
  { value: 'udp', label: 'UDP' },
] as const

export default function PathPage() {
  const { query } = usePlace()
  const [from, to, protocol] = [query.get('from') ?? '', query.get('to') ?? '', query.get('protocol') ?? 'tcp']
  const requested = query.get('port') ?? ''
  const [port, setPort] = useState(requested === '' ? '443' : requested)
  const ends = useLoaded('ends of paths', async (client): Promise<readonly SelectProps.OptionGroup[]> => {
    const [gateways, interfaces] = await Promise.all([
      client.list('ec2', 'DescribeInternetGateways', {}, 'InternetGateways'),
      client.list('ec2', 'DescribeNetworkInterfaces', {}, 'NetworkInterfaces'),
    ])
    return [
      {
        label: 'The internet',
        options: gateways
          .filter(({ Attachments }) => Attachments?.length)
          .map(({ InternetGatewayId, Attachments }) => ({
            value: InternetGatewayId!,
            label: `The internet, by ${InternetGatewayId}`,
            description: Attachments?.[0]?.VpcId ?? '',
          })),
      },
      {
        label: 'Interfaces',
        options: interfaces.map(({ NetworkInterfaceId, PrivateIpAddress, Attachment, TagSet, Description }) => ({
          value: NetworkInterfaceId!,
          label: nameTag(TagSet) ?? Attachment?.InstanceId ?? NetworkInterfaceId!,
          description: [PrivateIpAddress, NetworkInterfaceId, Description].filter(Boolean).join(', '),
        })),
      },
    ]
  })
  const isComplete = from !== '' && to !== '' && requested !== ''
  const answer = useLoaded(isComplete ? `path ${from} ${to} ${protocol} ${requested}` : undefined, (client) =>
    analyze(client, {
      Source: from,
      Destination: to,
      Protocol: protocol as 'tcp',
      DestinationPort: Number(requested),
      ClientToken: undefined,
    }),
  )
  const choose = (next: Readonly<Record<string, string>>) => {
    const whole = { from, to, protocol, ...next }
    replaceQuery(Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== '')))
  }
  const isPort = /^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
  return (
    <Page title="Who reaches what?" description="Whether packets of a kind arrive, and their answers return.">
      <Container>
        {ends.error && <ErrorAlert error={ends.error} onRetry={ends.reload} />}
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (isPort && from !== '' && to !== '') choose({ port })
          }}
        >
          <div className="fields-row">
            <End label="From" value={from} ends={ends.data ?? []} onChange={(id) => choose({ from: id })} />
            <End label="To" value={to} ends={ends.data ?? []} onChange={(id) => choose({ to: id })} />
            <FormField label="Protocol">
              <Select
                selectedOption={PROTOCOLS.find(({ value }) => value === protocol) ?? null}
                options={[...PROTOCOLS]}
                onChange={({ detail }) => choose({ protocol: detail.selectedOption.value! })}
              />
            </FormField>
            <FormField label="Port" errorText={isPort ? undefined : '1 to 65535'}>
              <Input value={port} inputMode="numeric" onChange={({ detail }) => setPort(detail.value)} />
            </FormField>
            <Button
              variant="primary"
              formAction="submit"
              loading={answer.loading}
              disabled={!isPort || from === '' || to === '' || from === to}
            >
              Analyze
            </Button>
          </div>
        </form>
      </Container>
      {answer.error && <ErrorAlert error={answer.error} onRetry={answer.reload} />}
      {isComplete && answer.loading && <Spinner size="large" />}
      {isComplete && answer.data && <Answer answer={answer.data} />}
    </Page>
  )
}

interface EndProps {
  readonly label: string
  readonly value: string
  readonly ends: readonly SelectProps.OptionGroup[]
  readonly onChange: (id: string) => void
}

function End({ label, value, ends, onChange }: EndProps) {
  const chosen = ends.flatMap(({ options }) => options).find((option) => option.value === value)
  return (
    <FormField label={label}>
      <Select
        selectedOption={chosen ?? (value === '' ? null : { value, label: value })}
        options={ends}
        filteringType="auto"
        placeholder="Choose"
        empty="There is nothing in this Region."
        onChange={({ detail }) => onChange(detail.selectedOption.value!)}
      />
    </FormField>
  )
}

function Answer({ answer: { isReachable, forward, back, obstacles } }: { readonly answer: PathAnswer }) {
  return (
    <Container
      header={
        <Header variant="h2">
          {isReachable ? (
            <StatusIndicator type="warning">It is reachable</StatusIndicator>
          ) : (
            <StatusIndicator type="stopped">It is not reachable</StatusIndicator>
          )}
        </Header>
      }
    >
      <SpaceBetween size="m">
        {obstacles.map(({ text, component, rules }) => (
          <div key={`${text} ${component}`}>
            <StatusIndicator type="error">{text}</StatusIndicator> {component && <Code>{component}</Code>}
            {rules.length > 0 && (
              <ul>
                {rules.map((rule) => (
                  <li key={rule}>
                    <Code>{rule}</Code>
                  </li>
                ))}
              </ul>
            )}
          </div>
        ))}
        {forward.length > 0 && <Hops title={isReachable ? 'There' : 'As far as packets get'} hops={forward} />}
        {isReachable && back.length > 0 && <Hops title="And back" hops={back} />}
      </SpaceBetween>
    </Container>
  )
}

function Hops({ title, hops }: { readonly title: string; readonly hops: readonly Hop[] }) {
  return (
    <div>
      <Header variant="h3">{title}</Header>
      <ol className="layers">
        {hops.map(({ id, by }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a path may pass a component twice.
          <li key={`${id} ${at}`} className="layer" data-outcome="allowed">
            <Code>{id}</Code> {by && <Muted>{by}</Muted>}
          </li>
        ))}
      </ol>
    </div>
  )
}
