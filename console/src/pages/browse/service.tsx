/** One service, from its model: lists of resources, one resource, or one call. */
import built from 'virtual:built-operations'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import ExpandableSection from '@cloudscape-design/components/expandable-section'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import Textarea from '@cloudscape-design/components/textarea'
import { type ReactNode, useState } from 'react'
import type { OperationShape } from '../../../../src/wire/shape.ts'
import { loadModel, type Model } from '../../api/model.ts'
import { listMemberOf } from '../../api/paging.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Fields, jsonShown } from '../../ui/fields.tsx'
import { JsonView } from '../../ui/json-view.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import {
  columnsOf,
  type Item,
  idOf,
  itemOf,
  listOperations,
  nounOf,
  operationsOn,
  skeletonOf,
  titleOf,
  withoutEmpty,
  withoutSensitive,
} from './generic.ts'
import { serviceName } from './services.tsx'

export default function Service({ rest: [id = '', operation, item] }: { readonly rest: readonly string[] }) {
  const model = useLoaded(`model of ${id}`, () => loadModel(id))
  if (model.error) return <ErrorAlert error={model.error} onRetry={model.reload} />
  if (!model.data) return <Spinner size="large" />
  if (operation === 'call') return <CallPage model={model.data} name={item} />
  const shape = operation === undefined ? undefined : model.data.operations.get(operation)
  if (!shape) return <Resources model={model.data} />
  return item === undefined ? (
    <ListPage model={model.data} list={shape} />
  ) : (
    <ItemPage model={model.data} list={shape} id={item} />
  )
}

const trailOf = (id: string) =>
  [
    ['All services', ['services']],
    [serviceName(id), ['services', id]],
  ] as const

function Resources({ model }: { readonly model: Model }) {
  const { id } = model.row
  const isBuilt = (name: string) => built[id]?.includes(name) ?? false
  const lists = listOperations(model).filter(({ name }) => isBuilt(name) || !built[id])
  return (
    <Page
      title={serviceName(id)}
      trail={[['All services', ['services']]]}
      description={
        built[id]
          ? `${built[id].length} of ${model.operations.size} operations are built.`
          : 'No operation of this service is built yet.'
      }
      actions={<Button href={hrefOf(['services', id, 'call'])}>Call an operation</Button>}
    >
      <ResourceTable<OperationShape>
        title="Resources"
        noun="list"
        loaded={{ data: lists, error: undefined, loading: false, reload: () => undefined }}
        idOf={({ name }) => name}
        empty="The model has no list that needs no input. Call an operation instead."
        columns={[
          {
            header: 'Resources',
            value: ({ name }) => nounOf(name),
            href: ({ name }) => hrefOf(['services', id, name]),
          },
          { header: 'Operation', value: ({ name }) => name },
        ]}
      />
    </Page>
  )
}

function ListPage({ model, list }: { readonly model: Model; readonly list: OperationShape }) {
  const { id } = model.row
  return (
    <Page title={nounOf(list.name)} trail={trailOf(id)}>
      <ItemTable
        model={model}
        list={list}
        input={{}}
        href={(item) => hrefOf(['services', id, list.name, idOf(item)])}
      />
    </Page>
  )
}

interface TableProps {
  readonly model: Model
  readonly list: OperationShape
  readonly input: Item
  readonly href?: (item: Item) => string
}

function ItemTable({ model, list, input, href }: TableProps) {
  const { id } = model.row
  const loaded = useLoaded(`${id} ${list.name} ${JSON.stringify(input)}`, async (client) =>
    (await client.listByName(id, list.name, input)).items.map(itemOf),
  )
  const columns = columnsOf(listMemberOf(list)!.shape)
  return (
    <ResourceTable<Item>
      title={nounOf(list.name)}
      noun="item"
      description={list.name}
      loaded={loaded}
      idOf={idOf}
      columns={columns.map((name, at) => ({
        header: name === 'value' ? 'Name' : wordsOf(name),
        value: (item) => scalar(item[name]),
        ...(at === 0 && href && { href }),
      }))}
    />
  )
}

function ItemPage({ model, list, id }: { readonly model: Model; readonly list: OperationShape; readonly id: string }) {
  const service = model.row.id
  const loaded = useLoaded(`${service} ${list.name}`, async (client) =>
    (await client.listByName(service, list.name, {})).items.map(itemOf),
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner size="large" />
  const item = loaded.data.find((each) => idOf(each) === id)
  if (!item) return <ErrorAlert error={new Error(`${list.name} no longer lists ${id}.`)} onRetry={loaded.reload} />
  const operations = operationsOn(model, list, item).filter(
    ({ operation }) => built[service]?.includes(operation.name) ?? true,
  )
  return (
    <Page title={titleOf(item)} trail={[...trailOf(service), [nounOf(list.name), ['services', service, list.name]]]}>
      <Container header={<Header variant="h2">Summary</Header>}>
        <Value value={item} />
      </Container>
      {operations.map(({ operation, input, isList }, at) => (
        <Lazily
          key={operation.name}
          title={nounOf(operation.name)}
          description={operation.name}
          isOpen={at === 0 && !isList}
        >
          {isList ? (
            <ItemTable model={model} list={operation} input={input} />
          ) : (
            <Described service={service} operation={operation} input={input} />
          )}
        </Lazily>
      ))}
    </Page>
  )
}

/** Calls nothing before it is opened. */
function Lazily({
  title,
  description,
  isOpen,
  children,
}: {
  readonly title: string
  readonly description: string
  readonly isOpen: boolean
  readonly children: ReactNode
}) {
  const [wasOpened, setOpened] = useState(isOpen)
  return (
    <ExpandableSection
      variant="container"
      headerText={title}
      headerDescription={description}
      defaultExpanded={isOpen}
      onChange={() => setOpened(true)}
    >
      {wasOpened && children}
    </ExpandableSection>
  )
}

function Described({
  service,
  operation,
  input,
}: {
  readonly service: string
  readonly operation: OperationShape
  readonly input: Item
}) {
  const loaded = useLoaded(`${service} ${operation.name} ${JSON.stringify(input)}`, (client) =>
    client
      .callByName(service, operation.name, input)
      .then((answer) => withoutSensitive(operation.output, answer) as object),
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner />
  const values = Object.values(loaded.data)
  const [only] = values
  return (
    <Value
      value={
        values.length === 1 && only !== null && typeof only === 'object' && !Array.isArray(only) ? only : loaded.data
      }
    />
  )
}

/** Scalars as fields, the rest as JSON. */
function Value({ value }: { readonly value: unknown }) {
  const entries = Object.entries(value as Item)
  const isScalar = (each: unknown) => each === null || typeof each !== 'object' || each instanceof Date
  const scalars = entries.filter(([, each]) => isScalar(each) && String(each).length < 300)
  const others = entries.filter(([name]) => !scalars.some(([other]) => other === name))
  if (entries.length === 0) return <Box color="text-body-secondary">The answer is empty.</Box>
  return (
    <SpaceBetween size="m">
      {scalars.length > 0 && (
        <Fields
          items={Object.fromEntries(
            scalars.map(([name, each]) => [
              wordsOf(name),
              <span key={name} className="break">
                {shown(each)}
              </span>,
            ]),
          )}
        />
      )}
      {others.map(([name, each]) => (
        <FormFieldLike key={name} label={wordsOf(name)}>
          <JsonView text={textOf(each)} label={wordsOf(name)} />
        </FormFieldLike>
      ))}
    </SpaceBetween>
  )
}

function FormFieldLike({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div>
      <Box variant="awsui-key-label">{label}</Box>
      {children}
    </div>
  )
}

/** Documents come as text, percent-encoded in IAM. */
function textOf(value: unknown): string {
  if (typeof value !== 'string') return jsonOf(value)
  try {
    return jsonShown(JSON.parse(value.startsWith('%') ? decodeURIComponent(value) : value))
  } catch {
    return value
  }
}

const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (each instanceof Uint8Array ? `${each.length} bytes` : each), 2)

function scalar(value: unknown): string | number | boolean | Date | undefined {
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value instanceof Date
    ? value
    : jsonOf(value)
}

const shown = (value: unknown): string =>
  value instanceof Date ? timeShown(value) : value === true ? 'Yes' : value === false ? 'No' : String(value)

/** `CreateDate` as `Create date`. */
function wordsOf(name: string): string {
  const text = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
  const lower = text.replace(/\b([A-Z])([a-z])/g, (_, first: string, second: string) => first.toLowerCase() + second)
  return lower.charAt(0).toUpperCase() + lower.slice(1)
}

function CallPage({ model, name }: { readonly model: Model; readonly name: string | undefined }) {
  const { client } = useMerlon()
  const { id } = model.row
  const operation = name === undefined ? undefined : model.operations.get(name)
  const [text, setText] = useState<string>()
  const [answer, setAnswer] = useState<{ readonly value?: object; readonly error?: Error }>()
  const [isBusy, setBusy] = useState(false)
  const input = text ?? (operation && operation.input.kind !== 'unit' ? jsonShown(skeletonOf(operation.input)) : '{}')
  const call = async () => {
    setBusy(true)
    try {
      setAnswer({ value: await client.callByName(id, operation!.name, withoutEmpty(JSON.parse(input)) as object) })
    } catch (error) {
      setAnswer({ error: error as Error })
    }
    setBusy(false)
  }
  const names = built[id] ?? [...model.operations.keys()].sort()
  return (
    <Page
      title="Call an operation"
      trail={trailOf(id)}
      description="With your own permissions, recorded like every call."
    >
      <Container>
        <SpaceBetween size="m">
          <FormField label="Operation">
            <Select
              selectedOption={name === undefined ? null : { value: name, label: name }}
              options={names.map((each) => ({ value: each, label: each }))}
              filteringType="auto"
              virtualScroll
              placeholder="Choose an operation"
              onChange={({ detail }) => navigate(['services', id, 'call', detail.selectedOption.value!])}
            />
          </FormField>
          {operation && (
            <>
              <FormField
                label="Input"
                description="JSON. Members that are left empty are not sent. Bytes are entered as text."
              >
                <Textarea
                  value={input}
                  rows={Math.min(24, input.split('\n').length + 1)}
                  spellcheck={false}
                  onChange={({ detail }) => setText(detail.value)}
                />
              </FormField>
              <Button variant="primary" loading={isBusy} onClick={call}>
                Call {operation.name}
              </Button>
            </>
          )}
        </SpaceBetween>
      </Container>
      {answer?.error && <ErrorAlert error={answer.error} />}
      {answer?.value && (
        <Container header={<Header variant="h2">Answer</Header>}>
          <JsonView text={jsonOf(answer.value)} label="Answer" />
        </Container>
      )}
    </Page>
  )
}
