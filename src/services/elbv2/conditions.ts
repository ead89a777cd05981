/** Conditions of rules, checked and completed as AWS shows them: the older `Values` beside the structure of each field. */
import { parseBlock } from '../../engines/network/addresses.ts'
import { type Condition, invalid, notImplemented } from './resources.ts'

/** Of all conditions of a rule. Source: the quotas of Application Load Balancers. */
const VALUES_MAX = 5
const VALUE_LENGTH_MAX = 128
const FIELDS = ['host-header', 'path-pattern', 'http-header', 'query-string', 'http-request-method', 'source-ip']
/** Fields of which a rule has at most one condition. */
const SINGLE = ['host-header', 'path-pattern', 'http-request-method', 'source-ip']

/** The value with wildcards, as AWS's characters of each field allow. */
const HOST = /^[A-Za-z0-9.\-*?:]+$/
const PATH = /^[A-Za-z0-9_\-.$/~"'@:+&()!,;=%*?#[\]{}|^\\<> ]+$/

export function checkedConditions(conditions: readonly Condition[] | undefined): readonly Condition[] {
  if (!conditions?.length) throw invalid('A rule needs at least one condition')
  const fields = conditions.map(({ Field = '' }) => Field)
  for (const field of SINGLE)
    if (fields.filter((each) => each === field).length > 1)
      throw invalid(`A rule can only have one '${field}' condition`)
  const checked = conditions.map(checkedCondition)
  const values = checked.reduce((total, condition) => total + valuesOf(condition).length, 0)
  if (values > VALUES_MAX) throw invalid(`A rule can only have '${VALUES_MAX}' condition values`)
  return checked
}

const valuesOf = ({ QueryStringConfig, Values = [], HttpHeaderConfig, ...rest }: Condition): readonly unknown[] =>
  QueryStringConfig?.Values ??
  HttpHeaderConfig?.Values ??
  rest.HttpRequestMethodConfig?.Values ??
  rest.SourceIpConfig?.Values ??
  Values

function checkedCondition(condition: Condition): Condition {
  const { Field = '', Values } = condition
  if (!FIELDS.includes(Field)) throw invalid(`Condition field '${Field}' must be one of '[${FIELDS.join(',')}]'`)
  const regexes = [condition, condition.HostHeaderConfig, condition.PathPatternConfig, condition.HttpHeaderConfig]
  if (regexes.some((each) => each?.RegexValues?.length))
    throw notImplemented('regular expressions in conditions of rules')
  const texts = (of: readonly string[] | undefined, accepts: RegExp): string[] => {
    const values = of?.length ? of : (Values ?? [])
    if (values.length === 0) throw invalid('A condition value must be specified')
    for (const value of values)
      if (value.length > VALUE_LENGTH_MAX || !accepts.test(value))
        throw invalid(`Condition value '${value}' contains a character that is not valid`)
    return [...values]
  }
  switch (Field) {
    case 'host-header': {
      const values = texts(condition.HostHeaderConfig?.Values, HOST)
      return { Field, Values: values, HostHeaderConfig: { Values: values } }
    }
    case 'path-pattern': {
      const values = texts(condition.PathPatternConfig?.Values, PATH)
      return { Field, Values: values, PathPatternConfig: { Values: values } }
    }
    case 'http-header': {
      const { HttpHeaderName = '', Values: of } = condition.HttpHeaderConfig ?? {}
      if (!/^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,40}$/.test(HttpHeaderName))
        throw invalid(`The HTTP header name '${HttpHeaderName}' is not valid`)
      if (HttpHeaderName.toLowerCase() === 'host') throw invalid("Use a 'host-header' condition for the Host header")
      return { Field, HttpHeaderConfig: { HttpHeaderName, Values: texts(of, /^[\x20-\x7e]+$/) } }
    }
    case 'http-request-method':
      return {
        Field,
        HttpRequestMethodConfig: { Values: texts(condition.HttpRequestMethodConfig?.Values, /^[A-Z_-]{1,40}$/) },
      }
    case 'source-ip': {
      const values = texts(condition.SourceIpConfig?.Values, /^[0-9A-Fa-f.:/]+$/)
      for (const value of values)
        if (!value.includes('/') || !parseBlock(value))
          throw invalid(`The source IP '${value}' is not a valid CIDR block`)
      return { Field, SourceIpConfig: { Values: values } }
    }
    default: {
      const pairs = condition.QueryStringConfig?.Values ?? []
      if (pairs.length === 0) throw invalid('A condition value must be specified')
      for (const { Key = '', Value } of pairs)
        if (!Value || Value.length > VALUE_LENGTH_MAX || Key.length > VALUE_LENGTH_MAX)
          throw invalid('A query string condition needs a value of at most 128 characters')
      const shown = pairs.map(({ Key, Value }) => ({ ...(Key !== undefined && { Key }), Value }))
      return { Field, QueryStringConfig: { Values: shown } }
    }
  }
}
