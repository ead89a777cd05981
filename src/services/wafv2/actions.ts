/** What rules do with requests: actions, custom responses and inserted headers are checked before they are stored. */
import type {
  CaptchaConfig,
  ChallengeConfig,
  CustomHTTPHeader,
  CustomResponseBody,
  DataProtectionConfig,
  DefaultAction,
  OverrideAction,
  ParameterExceptionField,
  Rule,
  RuleAction,
  VisibilityConfig,
} from '@aws-sdk/client-wafv2'
import { invalidParameter, limitExceeded, notImplemented } from './faults.ts'

export const EXACTLY_ONE = 'You have used none or multiple values for a field that requires exactly one value.'

/** The name of the one member that has a value. Throws for none and for several. */
export function onlyMember(value: object | undefined, field: ParameterExceptionField, parameter: string): string {
  const names = Object.entries(value ?? {}).flatMap(([name, each]) => (each === undefined ? [] : [name]))
  if (names.length !== 1) throw invalidParameter(field, parameter, EXACTLY_ONE)
  return names[0]!
}

/** Source: https://docs.aws.amazon.com/waf/latest/developerguide/limits.html */
const HEADERS_MAX = 10
const BODIES_BYTES_MAX = 50 * 1_024
const RESERVED_METRICS = ['All', 'Default_Action']
const CHALLENGE_SECONDS_MIN = 300

/** `unknown`: for rules of which only the capacity is computed. */
export type Bodies = Readonly<Record<string, CustomResponseBody>> | 'unknown' | undefined

function assertHeaders(headers: readonly CustomHTTPHeader[], field: ParameterExceptionField): void {
  if (headers.length > HEADERS_MAX) throw limitExceeded('CUSTOM_HEADERS')
  const names = headers.map(({ Name = '' }) => Name.toLowerCase())
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalidParameter(field, twice, 'The header names must be unique.')
}

export function assertAction(action: RuleAction | DefaultAction, bodies: Bodies, field: ParameterExceptionField): void {
  const name = onlyMember(action, field, field === 'DEFAULT_ACTION' ? 'DefaultAction' : 'RuleAction')
  const { Block, Allow, Count, Captcha, Challenge } = action as RuleAction
  if (name === 'Monetize') throw notImplemented('the rule action Monetize')
  const response = Block?.CustomResponse
  if (response) {
    const { CustomResponseBodyKey: key, ResponseHeaders = [] } = response
    if (key !== undefined && bodies !== 'unknown' && !Object.hasOwn(bodies ?? {}, key))
      throw invalidParameter('CUSTOM_RESPONSE', key, 'The custom response body key is not defined.')
    assertHeaders(ResponseHeaders, 'CUSTOM_RESPONSE')
    const type = ResponseHeaders.find(({ Name }) => Name?.toLowerCase() === 'content-type')
    if (type) throw invalidParameter('CUSTOM_RESPONSE', type.Name!, 'The header content-type cannot be set.')
  }
  const handling = (Allow ?? Count ?? Captcha ?? Challenge)?.CustomRequestHandling
  if (handling) assertHeaders(handling.InsertHeaders ?? [], 'CUSTOM_REQUEST_HANDLING')
}

export const assertOverride = (override: OverrideAction): void => {
  onlyMember(override, 'OVERRIDE_ACTION', 'OverrideAction')
}

export function assertBodies(bodies: Bodies): void {
  if (bodies === 'unknown') return
  const bytes = Object.values(bodies ?? {}).reduce((total, { Content = '' }) => total + Buffer.byteLength(Content), 0)
  if (bytes > BODIES_BYTES_MAX) throw limitExceeded('CUSTOM_RESPONSE_BODY')
}

export function assertVisibility({ MetricName = '' }: VisibilityConfig): void {
  if (RESERVED_METRICS.includes(MetricName))
    throw invalidParameter('METRIC_NAME', MetricName, 'The metric name is reserved for AWS WAF.')
}

interface TokenConfigs {
  readonly ChallengeConfig?: ChallengeConfig | undefined
  readonly CaptchaConfig?: CaptchaConfig | undefined
}

export function assertTokenConfigs({ ChallengeConfig: challenge }: TokenConfigs): void {
  const seconds = challenge?.ImmunityTimeProperty?.ImmunityTime
  if (seconds !== undefined && Number(seconds) < CHALLENGE_SECONDS_MIN)
    throw invalidParameter(
      'CHALLENGE_CONFIG',
      String(seconds),
      `The immunity time must be at least ${CHALLENGE_SECONDS_MIN} seconds.`,
    )
}

/** Single headers, cookies and arguments are named; the query string and the body are protected as a whole. */
export function assertDataProtection(config: DataProtectionConfig | undefined): void {
  for (const { Field } of config?.DataProtections ?? []) {
    const { FieldType = '', FieldKeys = [] } = Field ?? {}
    if (FieldType.startsWith('SINGLE_') !== FieldKeys.length > 0)
      throw invalidParameter('DATA_PROTECTION_CONFIG', FieldType, 'The field keys do not fit the field type.')
  }
}

/** Words that a label must not have as a part. */
const RESERVED_LABELS = ['awswaf', 'aws', 'waf', 'rulegroup', 'webacl', 'regexpatternset', 'ipset', 'managed']
const LABELS_MAX = 100
const LABEL_PARTS_MAX = 10

/** Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-label-requirements.html */
export function assertLabels({ RuleLabels = [] }: Rule): void {
  if (RuleLabels.length > LABELS_MAX) throw limitExceeded('RULE_LABELS')
  for (const { Name = '' } of RuleLabels) {
    const parts = Name.split(':')
    if (parts.length > LABEL_PARTS_MAX || parts.some((part) => part === ''))
      throw invalidParameter('RULE', Name, 'The label is not valid.')
    const reserved = parts.find((part) => RESERVED_LABELS.includes(part))
    if (reserved !== undefined) throw invalidParameter('RULE', Name, `The label uses the reserved word ${reserved}.`)
  }
}
