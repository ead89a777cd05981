/** A decision, drawn: the layers in the order of evaluation, the statements that matched, and the layer that decided. */
import Alert from '@cloudscape-design/components/alert'
import Box from '@cloudscape-design/components/box'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator'
import type { LayerOutcome } from '../../../../src/policy/index.ts'
import type { AuditEvent, RecordedDecision } from '../../access/event.ts'
import type { ExplainedDecision } from '../../access/explain-event.ts'
import { hrefOf } from '../../app/router.ts'
import { StatementLink } from '../../ui/access-shown.tsx'
import { Code, Fields } from '../../ui/fields.tsx'

const NAMES: Readonly<Record<string, readonly [name: string, about: string]>> = {
  rcp: ['Resource control policies', 'Limits on what anyone may do to resources of the organization'],
  scp: ['Service control policies', 'Limits on what the account may do'],
  endpoint: ['Endpoint policy', 'Limits of the VPC endpoint'],
  resource: ['Resource policy', 'What the resource itself allows'],
  trust: ['Trust policy', 'Who may assume the role'],
  identity: ['Identity policies', 'What the user or role is allowed'],
  boundary: ['Permissions boundary', 'The most that the user or role can be allowed'],
  session: ['Session policies', 'The most that the session can be allowed'],
}

const OUTCOMES: Readonly<Record<LayerOutcome['outcome'], readonly [type: StatusIndicatorProps.Type, text: string]>> = {
  allowed: ['success', 'Allows'],
  explicitDeny: ['error', 'Denies'],
  implicitDeny: ['stopped', 'Does not allow'],
  none: ['pending', 'Does not apply'],
}

interface Props {
  readonly recorded: RecordedDecision
  readonly explained: ExplainedDecision | undefined
  readonly isLoading: boolean
  readonly caller: string
  readonly event: AuditEvent
}

export function Decision({ recorded, explained, isLoading, caller, event }: Props) {
  const { action, resource, effect, layer, explicit, context } = recorded
  const today = explained?.today
  const hasChanged = today && today.allowed !== (effect === 'Allow')
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={<Code>{resource === '*' ? 'on no resource of its own' : `on ${resource}`}</Code>}
        >
          {action}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <Box fontSize="heading-m">
          {effect === 'Allow' ? (
            <StatusIndicator>Allowed</StatusIndicator>
          ) : (
            <StatusIndicator type="error">Denied</StatusIndicator>
          )}{' '}
          {reasonOf(recorded, caller)}
        </Box>
        {effect === 'Deny' && <NextStep recorded={recorded} event={event} />}
        {hasChanged && (
          <Alert
            type="info"
            header={today.allowed ? 'The same call would be allowed today' : 'The same call would be denied today'}
          >
            The policies have changed since, or were not the whole reason.
          </Alert>
        )}
        {isLoading && (
          <Box>
            <Spinner /> Reading the policies of today
          </Box>
        )}
        {today && today.layers.length > 0 && (
          <div>
            <Box variant="h3" padding={{ bottom: 'xs' }}>
              Layer by layer, under the policies of today
            </Box>
            <ol className="layers">
              {today.layers.map((each) => (
                <LayerShown
                  key={each.layer}
                  outcome={each}
                  isDecisive={each.layer === (hasChanged ? today.layer : (layer ?? today.layer))}
                />
              ))}
            </ol>
          </div>
        )}
        {(explained?.notes ?? []).map((note) => (
          <Box key={note} color="text-body-secondary">
            {note}
          </Box>
        ))}
        {today && today.missing.length > 0 && (
          <Box>
            Conditions ask for keys that the request did not carry: <Code>{today.missing.join(', ')}</Code>
          </Box>
        )}
        {context && !explicit && Object.keys(context).length > 0 && (
          <div>
            <Box variant="h3">Condition values of the request</Box>
            <Fields
              items={Object.fromEntries(Object.entries(context).map(([key, values]) => [key, values.join(', ')]))}
            />
          </div>
        )}
      </SpaceBetween>
    </Container>
  )
}

function LayerShown({
  outcome: { layer, outcome, statements },
  isDecisive,
}: {
  readonly outcome: LayerOutcome
  readonly isDecisive: boolean
}) {
  const [name, about] = NAMES[layer] ?? [layer, '']
  const [type, text] = OUTCOMES[outcome]
  return (
    <li className="layer" data-outcome={outcome} data-decisive={isDecisive}>
      <div className="layer-head">
        <strong>{name}</strong>
        <StatusIndicator type={type}>{text}</StatusIndicator>
        {isDecisive && <span className="layer-decided">This layer decided</span>}
      </div>
      <Box color="text-body-secondary" fontSize="body-s">
        {about}
      </Box>
      {statements.length > 0 && (
        <ul className="layer-statements">
          {statements.map((statement, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: see above
            <li key={at}>
              <StatusIndicator type={statement.effect === 'Deny' ? 'error' : 'success'}>
                {statement.effect}
              </StatusIndicator>{' '}
              <StatementLink statement={statement} />
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}

function reasonOf({ layer, explicit, policy, statement, effect }: RecordedDecision, caller: string): string {
  if (!layer) return 'by the policies of another account, which are not shown here.'
  const name = (NAMES[layer]?.[0] ?? layer).toLowerCase()
  if (explicit)
    return `by the statement ${statement ?? ''} of ${policy?.split('/').at(-1) ?? `a ${name}`} (${name}), which denies it explicitly.`
  if (effect === 'Allow')
    return policy
      ? `by the statement ${statement ?? ''} of ${policy.split('/').at(-1)} (${name}).`
      : 'by the account itself.'
  return `because no statement of the ${name} of ${caller} allows it.`
}

/** What usually helps: a link to where the deciding policy is changed. */
function NextStep({
  recorded: { layer, explicit, policy, action, resource },
  event,
}: {
  readonly recorded: RecordedDecision
  readonly event: AuditEvent
}) {
  const { userIdentity = {} } = event
  const who =
    userIdentity.type === 'IAMUser'
      ? hrefOf(['iam', 'users', userIdentity.userName ?? ''])
      : userIdentity.sessionContext?.sessionIssuer?.userName
        ? hrefOf(['iam', 'roles', userIdentity.sessionContext.sessionIssuer.userName])
        : undefined
  const others = <Link href={hrefOf(['iam', 'who-can'], { action, resource })}>See who can do this</Link>
  if (layer === 'identity' && !explicit && who)
    return (
      <Box>
        To allow it, <Link href={who}>attach a policy that allows {action}</Link>. {others}.
      </Box>
    )
  if (policy?.includes(':policy/') && policy.includes(':iam:'))
    return (
      <Box>
        To allow it,{' '}
        <Link href={hrefOf(['iam', 'policies', policy])}>change the policy {policy.split('/').at(-1)}</Link>. {others}.
      </Box>
    )
  if (layer === 'scp' || layer === 'rcp')
    return (
      <Box>
        It is denied by <Link href={hrefOf(['organization'])}>the controls of the organization</Link>. {others}.
      </Box>
    )
  return <Box>{others}.</Box>
}
