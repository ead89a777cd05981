/** Assign access: what an assignment would allow in the account, before it is made. */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Select, { type SelectProps } from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { useState } from 'react'
import { actionsByService } from '../../access/actions.ts'
import { compiledLevels, loadLevels } from '../../access/organization.ts'
import type { Client } from '../../api/client.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { replaceQuery, usePlace } from '../../app/router.ts'
import { AccessGroups, accessGroups } from '../../ui/access-groups.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import {
  accountNames,
  accountShown,
  assign,
  type Center,
  loadGroups,
  loadPeople,
  loadPermissionSets,
} from './center.ts'
import { CenterPage } from './center-page.tsx'
import { loadSetPolicies, roleOf } from './set-access.ts'

/** The role that Organizations creates in a new account for its management account. */
const ACCESS_ROLE = 'OrganizationAccountAccessRole'

export default function Assign() {
  return (
    <CenterPage title="Assign access" trail={[['Who has what where', ['identity-center']]]}>
      {(center) => <Form center={center} />}
    </CenterPage>
  )
}

interface Choice {
  /** `USER ID` or `GROUP ID` */
  readonly who: string
  readonly set: string
  readonly account: string
}

function Form({ center }: { readonly center: Center }) {
  const { client, acting } = useMerlon()
  const { say } = useNotices()
  const { query } = usePlace()
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const known = useLoaded(`choices of ${center.instance}`, async (from) => {
    const [people, groups, sets, names] = await Promise.all([
      loadPeople(from, center),
      loadGroups(from, center),
      loadPermissionSets(from, center),
      accountNames(from),
    ])
    return { people, groups, sets, names: names.size > 0 ? names : new Map([[acting.account, 'This account']]) }
  })
  const choice: Choice = {
    who: query.get('who') ?? '',
    set: query.get('set') ?? '',
    account: query.get('account') ?? '',
  }
  const isWhole = choice.who !== '' && choice.set !== '' && choice.account !== ''
  const [kind = '', principal = ''] = choice.who.split(' ')
  const held = useLoaded(isWhole ? `held ${JSON.stringify(choice)}` : undefined, (from) =>
    from.list(
      'sso-admin',
      'ListAccountAssignmentsForPrincipal',
      {
        InstanceArn: center.instance,
        PrincipalId: principal,
        PrincipalType: kind as 'USER',
        Filter: { AccountId: choice.account },
      },
      'AccountAssignments',
    ),
  )
  if (known.error) return <ErrorAlert error={known.error} onRetry={known.reload} />
  if (!known.data) return <Spinner size="large" />
  const { people, groups, sets, names } = known.data
  const setNames = new Map(sets.map(({ PermissionSetArn, Name }) => [PermissionSetArn!, Name!]))
  const choose = (next: Partial<Choice>) =>
    replaceQuery(Object.fromEntries(Object.entries({ ...choice, ...next }).filter(([, value]) => value !== '')))
  const submit = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await assign(client, {
        InstanceArn: center.instance,
        PermissionSetArn: choice.set,
        PrincipalId: principal,
        PrincipalType: kind as 'USER',
        TargetId: choice.account,
      })
      say('The access is assigned.')
      held.reload()
    } catch (failure) {
      setError(failure as Error)
    }
    setBusy(false)
  }
  const has = (held.data ?? []).map(({ PermissionSetArn }) => PermissionSetArn!)
  return (
    <SpaceBetween size="l">
      <Container>
        <div className="fields-row">
          <Choose
            label="Person or group"
            value={choice.who}
            options={[
              {
                label: 'Groups',
                options: groups.map(({ GroupId, DisplayName }) => ({ value: `GROUP ${GroupId}`, label: DisplayName! })),
              },
              {
                label: 'People',
                options: people.map(({ UserId, UserName }) => ({ value: `USER ${UserId}`, label: UserName! })),
              },
            ].filter(({ options }) => options.length > 0)}
            onChange={(who) => choose({ who })}
          />
          <Choose
            label="Permission set"
            value={choice.set}
            options={[...setNames].map(([value, label]) => ({ value, label }))}
            onChange={(set) => choose({ set })}
          />
          <Choose
            label="Account"
            value={choice.account}
            options={[...names].map(([value, name]) => ({ value, label: accountShown(value, name) }))}
            onChange={(account) => choose({ account })}
          />
          <Button variant="primary" disabled={!isWhole || has.includes(choice.set)} loading={busy} onClick={submit}>
            Assign
          </Button>
        </div>
      </Container>
      {error && <ErrorAlert error={error} />}
      {isWhole && held.data && (
        <StatusIndicator type={has.length === 0 ? 'info' : 'success'}>
          {has.length === 0
            ? 'They have nothing in this account yet.'
            : `They have in this account: ${has.map((arn) => setNames.get(arn) ?? arn).join(', ')}.`}
        </StatusIndicator>
      )}
      {isWhole && <Preview center={center} choice={choice} />}
    </SpaceBetween>
  )
}

interface ChooseProps {
  readonly label: string
  readonly value: string
  readonly options: readonly (SelectProps.Option | SelectProps.OptionGroup)[]
  readonly onChange: (value: string) => void
}

function Choose({ label, value, options, onChange }: ChooseProps) {
  const flat = options.flatMap((each): readonly SelectProps.Option[] => ('options' in each ? each.options : [each]))
  return (
    <FormField label={label}>
      <Select
        selectedOption={flat.find((option) => option.value === value) ?? null}
        options={options}
        filteringType="auto"
        placeholder="Choose"
        empty="There is none yet."
        onChange={({ detail }) => onChange(detail.selectedOption.value!)}
      />
    </FormField>
  )
}

function Preview({ center, choice: { set, account } }: { readonly center: Center; readonly choice: Choice }) {
  const merlon = useMerlon()
  const here = merlon.acting.account
  const answer = useLoaded(`what ${set} allows in ${account}`, async (client) => {
    const member =
      account === here ? client : await merlon.clientAs({ account, role: ACCESS_ROLE }).catch(() => undefined)
    const [policies, actions, management, scps] = await Promise.all([
      loadSetPolicies(client, center, set),
      actionsByService(),
      managementAccount(client),
      loadLevels(client, account, 'SERVICE_CONTROL_POLICY'),
    ])
    const { identity, notes } = await roleOf(policies, account, client, member)
    const isFree = account === management
    const around = { scps: isFree ? undefined : compiledLevels(scps), rcps: undefined, context: {}, without: [] }
    const more = isFree
      ? ['Service control policies do not bind the management account.']
      : scps
        ? []
        : ['The control policies of the organization cannot be read from here: they are left out.']
    return { groups: accessGroups(identity, account, around, actions), notes: [...more, ...notes] }
  })
  return (
    <SpaceBetween size="m">
      {(answer.data?.notes ?? []).map((note) => (
        <Alert key={note} type="info">
          {note}
        </Alert>
      ))}
      <AccessGroups title="What it would allow there" groups={{ ...answer, data: answer.data?.groups }} />
    </SpaceBetween>
  )
}

const managementAccount = (client: Client): Promise<string | undefined> =>
  client.call('organizations', 'DescribeOrganization', {}).then(
    ({ Organization }) => Organization?.MasterAccountId,
    () => undefined,
  )
