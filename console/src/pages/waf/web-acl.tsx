/** One web ACL: its rules, the requests that they matched, and what a rule that counts would block. */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Code, Copyable, Fields } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeFromNow } from '../../ui/time.ts'
import { type Loaded, useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { effectOf, isCounted, type Rule, settingsOf, statementText, switched, type WebAcl } from './rule-text.ts'
import { blockEffect, loadSamples, type Sample } from './samples.ts'

const Scope = 'REGIONAL' as const
const TYPES = ['APPLICATION_LOAD_BALANCER', 'COGNITO_USER_POOL'] as const

export default function WebAclPage({ rest: [name = '', id = ''] }: { readonly rest: readonly string[] }) {
  const loaded = useLoaded(`web ACL ${id}`, async (client) => {
    const { WebACL, LockToken } = await client.call('wafv2', 'GetWebACL', { Scope, Name: name, Id: id })
    const resources = await Promise.all(
      TYPES.map((ResourceType) =>
        client
          .call('wafv2', 'ListResourcesForWebACL', { WebACLArn: WebACL!.ARN!, ResourceType })
          .then(({ ResourceArns }) => ResourceArns ?? [])
          .catch(() => []),
      ),
    )
    return { acl: WebACL!, lockToken: LockToken!, resources: resources.flat() }
  })
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner size="large" />
  const { acl, lockToken, resources } = loaded.data
  return (
    <Page title={name} description={acl.Description} trail={[['Web ACLs', ['waf']]]}>
      <Container>
        <Fields
          items={{
            Protects: resources.map((arn) => arn.split(':').slice(5).join(':')).join(', ') || 'Nothing yet',
            'Requests that no rule stops': acl.DefaultAction?.Block ? 'are blocked' : 'are allowed',
            ARN: <Copyable text={acl.ARN!} />,
          }}
        />
      </Container>
      <Rules acl={acl} lockToken={lockToken} onDone={loaded.reload} />
      <Traffic acl={acl} />
    </Page>
  )
}

interface RulesProps {
  readonly acl: WebAcl
  readonly lockToken: string
  readonly onDone: () => void
}

function Rules({ acl, lockToken, onDone }: RulesProps) {
  const { dialog, open } = useDialog()
  const rules = (acl.Rules ?? []).toSorted((a, b) => a.Priority! - b.Priority!)
  const canSwitch = (rule: Rule | undefined) =>
    rule !== undefined && ['Block', 'Count', 'As the group says'].includes(effectOf(rule))
  return (
    <>
      <ResourceTable<Rule>
        title="Rules"
        noun="rule"
        loaded={{ data: rules, error: undefined, loading: false, reload: onDone }}
        idOf={({ Name }) => Name!}
        selectable="single"
        empty="There are no rules: the default action decides."
        columns={[
          { header: 'Rule', value: ({ Name }) => Name },
          { header: 'Priority', value: ({ Priority }) => Priority },
          { header: 'If', value: ({ Statement }) => statementText(Statement) },
          { header: 'Then', value: effectOf, cell: (rule) => <EffectShown rule={rule} /> },
        ]}
        actions={([selected]) => (
          <Button
            disabled={!canSwitch(selected)}
            onClick={() =>
              open((close) => (
                <Switch acl={acl} lockToken={lockToken} rule={selected!} onClose={close} onDone={onDone} />
              ))
            }
          >
            {selected && !isCounted(selected) ? 'Only count' : 'Block instead of counting'}
          </Button>
        )}
      />
      {dialog}
    </>
  )
}

function EffectShown({ rule }: { readonly rule: Rule }) {
  const effect = effectOf(rule)
  const type = effect === 'Count' ? 'info' : effect === 'Allow' ? 'success' : 'error'
  return <StatusIndicator type={type}>{effect}</StatusIndicator>
}

interface SwitchProps extends RulesProps {
  readonly rule: Rule
  readonly onClose: () => void
}

function Switch({ acl, lockToken, rule, onClose, onDone }: SwitchProps) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const toBlock = isCounted(rule)
  const run = async () => {
    await client.call('wafv2', 'UpdateWebACL', {
      ...(settingsOf(acl) as ReturnType<typeof settingsOf> & { DefaultAction: object; VisibilityConfig: never }),
      Scope,
      Name: acl.Name!,
      Id: acl.Id!,
      LockToken: lockToken,
      Rules: (acl.Rules ?? []).map((each) => (each.Name === rule.Name ? switched(each) : each)),
    })
    say(toBlock ? `${rule.Name} blocks now.` : `${rule.Name} only counts now.`)
    onDone()
  }
  return (
    <Dialog
      title={toBlock ? `Block what ${rule.Name} matches?` : `Only count what ${rule.Name} matches?`}
      submit={toBlock ? 'Block' : 'Only count'}
      size="large"
      onClose={onClose}
      run={run}
    >
      {toBlock ? <WouldBlock acl={acl} rule={rule} /> : 'Requests that it matches go on to the next rules.'}
    </Dialog>
  )
}

/** From the requests of the last three hours that the rule counted. */
function WouldBlock({ acl, rule }: { readonly acl: WebAcl; readonly rule: Rule }) {
  const metric = rule.VisibilityConfig?.MetricName
  const loaded = useLoaded(metric && `effect of ${metric}`, (client) => loadSamples(client, acl.ARN!, metric!))
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!rule.VisibilityConfig?.SampledRequestsEnabled)
    return <Alert type="warning">The rule samples no requests: what it would block is not known.</Alert>
  if (!loaded.data) return <Spinner />
  const { matched, blocked, clients, paths, examples } = blockEffect(loaded.data)
  return (
    <SpaceBetween size="m">
      <StatusIndicator type={blocked === 0 ? 'success' : 'warning'}>
        In the last three hours it matched {matched} requests. {blocked} of them passed, and would be blocked: from{' '}
        {clients} {clients === 1 ? 'address' : 'addresses'}.
      </StatusIndicator>
      {paths.length > 0 && (
        <Fields columns={2} items={Object.fromEntries(paths.map(([path, count]) => [path, `${count} requests`]))} />
      )}
      {examples.length > 0 && (
        <SampleTable title="Requests that would be blocked" loaded={{ ...loaded, data: examples }} />
      )}
    </SpaceBetween>
  )
}

/** The web ACL's own metric is that of the default action. */
function Traffic({ acl }: { readonly acl: WebAcl }) {
  const choices = [
    { value: acl.VisibilityConfig?.MetricName ?? '', label: 'Default action' },
    ...(acl.Rules ?? []).map(({ Name, VisibilityConfig }) => ({
      value: VisibilityConfig?.MetricName ?? '',
      label: Name!,
    })),
  ]
  const [metric, setMetric] = useState(choices[0]!.value)
  const loaded = useLoaded(`samples of ${acl.ARN} ${metric}`, (client) => loadSamples(client, acl.ARN!, metric))
  return (
    <Container
      header={
        <Header variant="h2" description={loaded.data && `${loaded.data.population} requests in the last three hours`}>
          Sampled requests
        </Header>
      }
    >
      <SpaceBetween size="m">
        <FormField label="Stopped or counted by">
          <Select
            selectedOption={choices.find(({ value }) => value === metric) ?? null}
            options={choices}
            onChange={({ detail }) => setMetric(detail.selectedOption.value!)}
          />
        </FormField>
        <SampleTable title="Requests" loaded={{ ...loaded, data: loaded.data?.samples }} />
      </SpaceBetween>
    </Container>
  )
}

interface SampleTableProps {
  readonly title: string
  readonly loaded: Loaded<readonly Sample[]>
}

function SampleTable({ title, loaded }: SampleTableProps) {
  return (
    <ResourceTable<Sample>
      title={title}
      noun="request"
      variant="embedded"
      headerVariant="h3"
      loaded={loaded}
      idOf={(sample) => String(loaded.data?.indexOf(sample))}
      empty="No request was sampled."
      columns={[
        {
          header: 'Request',
          value: ({ Request }) => `${Request?.Method} ${Request?.URI}`,
          cell: ({ Request }) => <Code>{`${Request?.Method} ${Request?.URI}`}</Code>,
        },
        { header: 'From', value: ({ Request }) => Request?.ClientIP },
        { header: 'Action', value: ({ Action }) => Action },
        { header: 'Rule in group', value: ({ RuleNameWithinRuleGroup }) => RuleNameWithinRuleGroup },
        { header: 'Time', value: ({ Timestamp }) => Timestamp, cell: ({ Timestamp }) => timeFromNow(Timestamp) },
      ]}
    />
  )
}
