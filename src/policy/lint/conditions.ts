/** Whether the conditions can ever be met: operators, keys, the types of values, variables. */
import { parseOperator } from '../operators.ts'
import { contains, type Network, parseBinary, parseBool, parseDate, parseNetwork, parseNumber } from '../values.ts'
import type { Text } from './finding.ts'
import { DEPRECATED_KEYS, GLOBAL_KEYS, type KeyType, TAG_KEYS } from './reference.ts'
import { type Check, type ConditionAt, familyOf, type Linted, type Report, type StatementAt } from './statement.ts'

export const checkConditions: Check = (statement, linted, report) => {
  for (const condition of statement.conditions) {
    checkOperator(condition, report)
    checkKey(condition, linted, report)
    checkValues(condition, linted, report)
    checkAbsent(condition, linted, report)
    checkQualifier(condition, statement, linted, report)
  }
}

function checkOperator({ operator, operatorAt, key, keyAt }: ConditionAt, report: Report): void {
  if (parseOperator(operator)) return
  if (/null/i.test(operator) && /ifexists$/i.test(operator)) {
    return void report(
      'ERROR',
      'NULL_WITH_IF_EXISTS',
      'Null tests whether there is a value: IfExists has no meaning with it.',
      operatorAt,
    )
  }
  if (/^(forallvalues|foranyvalue):null$/i.test(operator)) {
    return void report('SUGGESTION', 'NULL_WITH_QUALIFIER', 'Null needs no qualifier.', operatorAt)
  }
  report('ERROR', 'INVALID_CONDITION_OPERATOR', `There is no condition operator ${operator} (for ${key}).`, keyAt)
}

function checkKey({ key, keyAt }: ConditionAt, linted: Linted, report: Report): void {
  const { reference, budget } = linted
  const lowered = key.toLowerCase()
  if (lowered === 'aws:arn') {
    const details = `${key} is in no request: use aws:PrincipalArn or aws:SourceArn.`
    report('ERROR', 'UNSUPPORTED_GLOBAL_CONDITION_KEY', details, keyAt)
  }
  if (DEPRECATED_KEYS.has(lowered)) {
    report('WARNING', 'DEPRECATED_GLOBAL_CONDITION_KEY', `${key} has been replaced.`, keyAt)
  }
  if (lowered.startsWith('aws:')) {
    const tag = TAG_KEYS.find((prefix) => lowered.startsWith(prefix) || lowered === prefix.slice(0, -1))
    if (tag && lowered.length <= tag.length) {
      report('ERROR', 'MISSING_TAG_KEY_IN_CONDITION', `${key} needs the name of a tag after a slash.`, keyAt)
    } else if (!tag && !(lowered in GLOBAL_KEYS) && lowered !== 'aws:arn') {
      report('ERROR', 'INVALID_GLOBAL_CONDITION_KEY', `There is no global condition key ${key}.`, keyAt)
    }
    return
  }
  const colon = lowered.indexOf(':')
  if (colon <= 0) {
    return void report(
      'ERROR',
      'INVALID_CONDITION_KEY_FORMAT',
      `${key} is no condition key: expected prefix:name.`,
      keyAt,
    )
  }
  const prefix = lowered.slice(0, colon)
  // Keys of identity providers begin with their host.
  if (prefix.includes('.') || prefix.includes('/') || prefix === 'saml' || prefix === 'cognito-identity') return
  const details = reference.service(prefix)?.details
  budget.spend(details ? Object.keys(details.keys).length : 1)
  if (details && !typeIn(details.keys, lowered)) {
    report('ERROR', 'INVALID_SERVICE_CONDITION_KEY', `The service ${prefix} has no condition key ${key}.`, keyAt)
  } else if (!reference.service(prefix) && !reference.keyPrefixes?.has(prefix)) {
    report('ERROR', 'INVALID_SERVICE_CONDITION_KEY', `There is no service ${prefix} (for ${key}).`, keyAt)
  }
}

/** By a table's key, whose variable part matches anything. */
function typeIn(keys: Readonly<Record<string, string>>, lowered: string): string | undefined {
  for (const [key, type] of Object.entries(keys)) {
    const fixed = key.split(/\$\{|</)[0]!.toLowerCase()
    if (key.toLowerCase() === lowered || (fixed.length < key.length && fixed !== '' && lowered.startsWith(fixed)))
      return type
    // The reference writes this one with its example.
    if (key.toLowerCase().endsWith('/tag-key') && lowered.startsWith(key.toLowerCase().slice(0, -7))) return type
  }
  return undefined
}

export function typeOf(key: string, { reference }: Linted): KeyType | undefined {
  const lowered = key.toLowerCase()
  if (TAG_KEYS.some((prefix) => lowered.startsWith(prefix))) return 'String'
  if (lowered in GLOBAL_KEYS) return GLOBAL_KEYS[lowered]
  const details = reference.service(lowered.slice(0, Math.max(0, lowered.indexOf(':'))))?.details
  return details && (typeIn(details.keys, lowered) as KeyType | undefined)
}

/** The operators for each type of value, and how such a value is recognized. */
const FAMILIES: Readonly<Record<string, { readonly types: readonly KeyType[] }>> = {
  Numeric: { types: ['Numeric'] },
  Date: { types: ['Date'] },
  Bool: { types: ['Bool'] },
  IpAddress: { types: ['IPAddress'] },
  String: { types: ['String', 'ArrayOfString', 'ARN', 'ArrayOfARN'] },
  Arn: { types: ['ARN', 'ArrayOfARN', 'String', 'ArrayOfString'] },
}

const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  Numeric: parseNumber,
  Date: parseDate,
  Bool: parseBool,
  IpAddress: parseNetwork,
}

function checkValues(condition: ConditionAt, linted: Linted, report: Report): void {
  const { operator, key, keyAt, values } = condition
  const family = familyOf(operator)
  const empty = keyAt.json.type === 'array' && keyAt.json.items.length === 0
  if (empty) return void emptyList(condition, report)
  for (const item of keyAt.items()) {
    if (item.json.type === 'object' || item.json.type === 'array' || item.json.type === 'null') {
      report('ERROR', 'INVALID_CONDITION_DATA_TYPE', 'A condition compares texts, numbers and booleans.', item)
    }
  }
  const type = typeOf(key, linted)
  const row = family === undefined ? undefined : FAMILIES[family]
  if (row && type && !row.types.includes(type)) {
    report('WARNING', 'TYPE_MISMATCH', `${operator} does not go with ${key}, whose values are of type ${type}.`, keyAt)
  }
  if (family === 'Bool' && values.length > 1) {
    report('ERROR', 'INVALID_CONDITION_MULTIPLE_BOOLEAN', `${key} can be compared with one boolean.`, keyAt)
  }
  const parse = family === undefined ? undefined : PARSERS[family]
  if (family === 'IpAddress') checkAddresses(condition, report)
  for (const value of values) {
    if (parse && parse(value.text) === undefined && !value.text.includes('${')) unreadable(family!, value, report)
    if (family === 'IpAddress') checkRange(value, report)
    if (family === 'Binary' && parseBinary(value.text) === undefined) {
      report('WARNING', 'TYPE_MISMATCH_STRING', `${value.text} is not base64, which ${operator} compares.`, value.at)
    }
    if (family === 'Date' && /^\d{5,}(\.\d+)?$/.test(value.text)) {
      const details = `${value.text} is an epoch time, which may not be what was meant: write YYYY-MM-DD.`
      report('WARNING', 'INVALID_DATE_VALUE', details, value.at)
    }
    checkFormat(operator, key, value, report)
    if (
      /^String(Not)?Equals/i.test(operator.replace(/^.*:/, '')) &&
      /[*?]/.test(value.text.replaceAll(/\$\{[*?$]\}/g, ''))
    ) {
      const details = `${operator} takes the wildcard in ${value.text} as a character: StringLike would not.`
      report('WARNING', 'WILDCARD_WITHOUT_LIKE_OPERATOR', details, value.at)
    }
    if (/^aws:sourcevpc$/i.test(key) && !/^vpc-[0-9a-f*?]+$/.test(value.text) && !value.text.includes('${')) {
      report('ERROR', 'INVALID_VPC_FORMAT', `${value.text} is no VPC: those begin with vpc-.`, value.at)
    }
    if (/^aws:sourcevpce$/i.test(key) && !/^vpce-[0-9a-f*?]+$/.test(value.text) && !value.text.includes('${')) {
      report('ERROR', 'INVALID_VPCE_FORMAT', `${value.text} is no VPC endpoint: those begin with vpce-.`, value.at)
    }
  }
}

function emptyList({ operator, keyAt }: ConditionAt, report: Report): void {
  const lowered = operator.toLowerCase()
  const code = lowered.startsWith('forallvalues')
    ? 'EMPTY_ARRAY_CONDITION_FORALLVALUES'
    : lowered.startsWith('foranyvalue')
      ? 'EMPTY_ARRAY_CONDITION_FORANYVALUE'
      : lowered.endsWith('ifexists')
        ? 'EMPTY_ARRAY_CONDITION_IFEXISTS'
        : 'EMPTY_ARRAY_CONDITION'
  report('SUGGESTION', code, `${operator} compares with nothing.`, keyAt)
}

const UNREADABLE: Readonly<Record<string, string>> = {
  Numeric: 'TYPE_MISMATCH_NUMBER',
  Bool: 'TYPE_MISMATCH_BOOLEAN',
  IpAddress: 'TYPE_MISMATCH_IP_RANGE',
}

function unreadable(family: string, { at, text }: Text, report: Report): void {
  // IAM refuses dates it cannot read; the rest it keeps, and never meets.
  if (family === 'Date') {
    report('WARNING', 'TYPE_MISMATCH_DATE', `${text} is no date.`, at)
    report('ERROR', 'INVALID_CONDITION_DATA_TYPE', `${text} is no date.`, at)
  } else
    report(
      family === 'IpAddress' ? 'ERROR' : 'WARNING',
      UNREADABLE[family]!,
      `${text} is of another type than the operator compares.`,
      at,
    )
}

const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'].map((text) => parseNetwork(text)!)

/** aws:SourceIp is where a request comes from on the internet: never a private address. */
function checkAddresses({ operator, key, keyAt, values }: ConditionAt, report: Report): void {
  if (!/^aws:sourceip$/i.test(key)) return
  const ranges = values.map(({ text }) => parseNetwork(text)).filter((network) => network !== undefined)
  const isPrivate = ({ address, prefix }: Network) =>
    PRIVATE.some((each) => prefix >= each.prefix && contains(each, address))
  const found = ranges.filter(isPrivate).length
  if (found === 0) return
  const subject = /not/i.test(operator) ? 'PRIVATE_NOT_IP_ADDRESS' : 'PRIVATE_IP_ADDRESS'
  const details = `${key} is a public address: no request comes from a private one.`
  if (found === ranges.length) report('ERROR', subject, details, keyAt)
  else report('SUGGESTION', `${subject}_SUBSET`, details, keyAt)
}

function checkRange({ at, text }: Text, report: Report): void {
  const network = parseNetwork(text)
  if (!network) return
  const masked = network.address.map((group, i) => {
    const bits = Math.max(0, Math.min(16, network.prefix - i * 16))
    return group & ((0xffff << (16 - bits)) & 0xffff)
  })
  if (masked.every((group, i) => group === network.address[i])) return
  report('SUGGESTION', 'IMPROVE_IP_RANGE', `The bits of ${text} after its prefix are ignored: write them as zero.`, at)
}

const REGION = /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/

function checkFormat(operator: string, key: string, { at, text }: Text, report: Report): void {
  if (/[*?]|\$\{/.test(text) || !/^String/i.test(operator.replace(/^.*:/, ''))) return
  if (/^aws:RequestedRegion$/i.test(key) && !REGION.test(text)) {
    report('ERROR', 'INVALID_REGION', `There is no Region ${text}.`, at)
  }
  const isKey = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(text)
  if (/^s3:x-amz-server-side-encryption-aws-kms-key-id$/i.test(key) && !isKey) {
    report('ERROR', 'INVALID_KMS_KEY_VALUE', `The value of ${key} is the ARN of a KMS key, not ${text}.`, at)
  }
}

/** Beyond AWS: keys that this server never supplies. */
function checkAbsent({ key, keyAt }: ConditionAt, { reference }: Linted, report: Report): void {
  const why = reference.absent?.(key)
  if (why === undefined) return
  const details = `No request to Merlon has ${key}: ${why}. The condition is evaluated as if the key were absent.`
  report('WARNING', 'CONDITION_KEY_NOT_SUPPLIED', details, keyAt)
}

/**
 * A key with several values needs a qualifier for all or any of them; one with a single value must not have
 * `ForAllValues`.
 */
function checkQualifier(
  { operator, key, keyAt }: ConditionAt,
  { effect }: StatementAt,
  linted: Linted,
  report: Report,
): void {
  const parsed = parseOperator(operator)
  const type = typeOf(key, linted)
  if (!parsed || !type) return
  const several = type.startsWith('ArrayOf')
  if (several && !parsed.quantifier && parsed.operator.compile) {
    report('ERROR', 'MISSING_QUALIFIER', `${key} may have several values: say ForAllValues or ForAnyValue.`, keyAt)
  }
  if (!several && parsed.quantifier === 'forallvalues' && effect === 'Allow') {
    const details = `ForAllValues is met by a request without ${key}, which has one value at the most.`
    report('SECURITY_WARNING', 'FORALLVALUES_WITH_SINGLE_VALUED_KEY', details, keyAt)
  }
}
