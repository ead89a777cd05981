/**
 * Which events a trail records.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html and
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
 */
import type { AdvancedEventSelector, AdvancedFieldSelector, EventSelector } from '@aws-sdk/client-cloudtrail'
import { cloudtrail, requireHome, type Selectors, type TrailRow, trailSelected } from './resources.ts'

const SELECTORS_MAX = 5
const CONDITIONS_MAX = 500
const VALUES_MAX = 250

export const DEFAULT: EventSelector = {
  ReadWriteType: 'All',
  IncludeManagementEvents: true,
  DataResources: [],
  ExcludeManagementEventSources: [],
}

const invalid = (message: string) => cloudtrail.fail('InvalidEventSelectorsException', message)

/** Other than all management events. */
export const isCustom = (selectors: Selectors | undefined): boolean =>
  selectors !== undefined &&
  ('advanced' in selectors || JSON.stringify(selectors.basic.map(whole)) !== JSON.stringify([DEFAULT]))

const whole = (selector: EventSelector): EventSelector => ({
  ReadWriteType: selector.ReadWriteType ?? 'All',
  IncludeManagementEvents: selector.IncludeManagementEvents ?? true,
  DataResources: selector.DataResources ?? [],
  ExcludeManagementEventSources: selector.ExcludeManagementEventSources ?? [],
})

/** Basic selectors know three types of resources, by the beginnings of their ARNs. */
const BASIC_TYPES: Readonly<Record<string, RegExp>> = {
  'AWS::S3::Object': /^arn:aws:s3(:::[^/]*(\/.*)?)?$/,
  'AWS::Lambda::Function': /^arn:aws:lambda(:[a-z0-9-]+:\d{12}:function:.+)?$/,
  'AWS::DynamoDB::Table': /^arn:aws:dynamodb(:[a-z0-9-]+:\d{12}:table\/.+)?$/,
}
const EXCLUDABLE = ['kms.amazonaws.com', 'rdsdata.amazonaws.com']

function checkBasic(selectors: readonly EventSelector[]): void {
  if (selectors.length > SELECTORS_MAX) throw invalid(`A trail can have at most ${SELECTORS_MAX} event selectors.`)
  for (const { DataResources = [], ExcludeManagementEventSources = [] } of selectors) {
    for (const { Type = '', Values = [] } of DataResources) {
      const form = BASIC_TYPES[Type]
      if (!form) throw invalid(`Data resource type ${Type} is not supported by event selectors.`)
      const wrong = Values.find((value) => !form.test(value))
      if (wrong !== undefined) throw invalid(`Value ${wrong} for DataResources.Values is invalid.`)
    }
    if (DataResources.reduce((sum, { Values = [] }) => sum + Values.length, 0) > VALUES_MAX)
      throw invalid(`At most ${VALUES_MAX} data resources can be selected.`)
    const unknown = ExcludeManagementEventSources.find((source) => !EXCLUDABLE.includes(source))
    if (unknown !== undefined) throw invalid(`Value ${unknown} for ExcludeManagementEventSources is invalid.`)
  }
}

/** What an advanced selector may match, and how it is read from the event. */
const FIELDS: Readonly<Record<string, (event: EventBody) => string | undefined>> = {
  eventCategory: ({ eventCategory }) => eventCategory,
  eventName: ({ eventName }) => eventName,
  eventSource: ({ eventSource }) => eventSource,
  eventType: ({ eventType }) => eventType,
  errorCode: ({ errorCode }) => errorCode,
  readOnly: ({ readOnly }) => String(readOnly ?? false),
  'resources.type': ({ resources }) => resources?.[0]?.type,
  'resources.ARN': ({ resources }) => resources?.[0]?.ARN,
  'userIdentity.arn': ({ userIdentity }) => userIdentity?.arn,
  sessionCredentialFromConsole: () => 'false',
}

const TESTS = {
  Equals: (value: string, given: string) => value === given,
  StartsWith: (value: string, given: string) => value.startsWith(given),
  EndsWith: (value: string, given: string) => value.endsWith(given),
} as const
type Test = keyof typeof TESTS
const tests = Object.keys(TESTS) as readonly Test[]

function checkAdvanced(selectors: readonly AdvancedEventSelector[]): void {
  let conditions = 0
  for (const { FieldSelectors = [] } of selectors) {
    const of = (field: string) => FieldSelectors.find(({ Field }) => Field === field)
    const [category, ...others] = of('eventCategory')?.Equals ?? []
    if (others.length > 0 || (category !== 'Management' && category !== 'Data'))
      throw invalid('An advanced event selector must have eventCategory Equals Management or Data.')
    if (category === 'Data' && of('resources.type')?.Equals?.length !== 1)
      throw invalid('A data event selector must have resources.type Equals one type.')
    const fields = FieldSelectors.map(({ Field = '' }) => Field)
    if (new Set(fields).size < fields.length) throw invalid('A field can be named once in an advanced event selector.')
    for (const selector of FieldSelectors) {
      if (!FIELDS[selector.Field ?? '']) throw invalid(`Field ${selector.Field} is not supported.`)
      const given = tests.flatMap((test) => [...(selector[test] ?? []), ...(selector[`Not${test}`] ?? [])])
      if (given.length === 0) throw invalid(`Field ${selector.Field} has no condition.`)
      conditions += given.length
      if (selector.Field === 'readOnly' && !given.every((value) => value === 'true' || value === 'false'))
        throw invalid('readOnly is true or false.')
    }
  }
  if (conditions > CONDITIONS_MAX) throw invalid(`At most ${CONDITIONS_MAX} conditions can be given.`)
}

export interface EventBody {
  readonly eventCategory?: string
  readonly eventName?: string
  readonly eventSource?: string
  readonly eventType?: string
  readonly errorCode?: string
  readonly readOnly?: boolean
  readonly awsRegion?: string
  readonly resources?: readonly { readonly type?: string; readonly ARN?: string }[]
  readonly userIdentity?: { readonly arn?: string }
}

/** Whether a trail with these selectors records the event; undefined selects all management events. */
export function selects(selectors: Selectors | undefined, event: EventBody): boolean {
  if (selectors && 'advanced' in selectors)
    return selectors.advanced.some(({ FieldSelectors = [] }) => FieldSelectors.every((field) => holds(field, event)))
  return (selectors?.basic ?? [DEFAULT]).map(whole).some((selector) => basicSelects(selector, event))
}

function basicSelects(selector: EventSelector, event: EventBody): boolean {
  const { ReadWriteType, IncludeManagementEvents, DataResources = [], ExcludeManagementEventSources = [] } = selector
  if (ReadWriteType !== 'All' && (ReadWriteType === 'ReadOnly') !== (event.readOnly ?? false)) return false
  if (event.eventCategory === 'Management')
    return IncludeManagementEvents === true && !ExcludeManagementEventSources.includes(event.eventSource ?? '')
  return DataResources.some(({ Type, Values = [] }) =>
    (event.resources ?? []).some(
      ({ type, ARN = '' }) => typeOfData(type) === Type && Values.some((value) => ARN.startsWith(value)),
    ),
  )
}

/** AWS selects lists, which name their bucket alone, by the objects in it. */
const typeOfData = (type: string | undefined) => (type === 'AWS::S3::Bucket' ? 'AWS::S3::Object' : type)

/** Positive conditions of a field: one is enough. Negative ones: all. */
function holds(selector: AdvancedFieldSelector, event: EventBody): boolean {
  const fieldValue = FIELDS[selector.Field ?? '']?.(event)
  const value = (selector.Field === 'resources.type' ? typeOfData(fieldValue) : fieldValue) ?? ''
  const positive = tests.flatMap((test) => (selector[test] ?? []).map((given) => TESTS[test](value, given)))
  const negative = tests.flatMap((test) => (selector[`Not${test}`] ?? []).map((given) => TESTS[test](value, given)))
  return (positive.length === 0 || positive.includes(true)) && !negative.includes(true)
}

const shownSelectors = ({ selectors }: Pick<TrailRow, 'selectors'>) =>
  selectors && 'advanced' in selectors
    ? { AdvancedEventSelectors: [...selectors.advanced] }
    : { EventSelectors: (selectors?.basic ?? [DEFAULT]).map(whole) }

export const putEventSelectors = cloudtrail
  .operation('PutEventSelectors')
  .on(trailSelected)
  .run((call, { EventSelectors: basic, AdvancedEventSelectors: advanced }, { row: trail, arn, save }) => {
    requireHome(call, trail)
    if ((basic === undefined) === (advanced === undefined))
      throw invalid('Specify either EventSelectors or AdvancedEventSelectors.')
    if ((basic ?? advanced)?.length === 0) throw invalid('Specify at least one event selector.')
    if (basic) checkBasic(basic)
    if (advanced) checkAdvanced(advanced)
    const selectors: Selectors = basic ? { basic } : { advanced: advanced! }
    save({ ...trail, selectors })
    return { TrailARN: arn, ...shownSelectors({ selectors }) }
  })

export const getEventSelectors = cloudtrail
  .operation('GetEventSelectors')
  .on(trailSelected)
  .run((_call, _input, { row, arn }) => ({ TrailARN: arn, ...shownSelectors(row) }))

/** Calls are counted by the minute (`insights.ts`), and nothing draws conclusions from that yet: no trail has insights. */
export const getInsightSelectors = cloudtrail
  .operation('GetInsightSelectors')
  .on(trailSelected)
  .run((_call, _input, { row: trail }) => {
    throw cloudtrail.fail('InsightNotEnabledException', `Insights are not enabled on trail ${trail.name}.`)
  })
