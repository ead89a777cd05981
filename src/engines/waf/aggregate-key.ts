/** The keys by which rate-based rules count. */
import type { RateBasedStatement, RateBasedStatementCustomKey } from '@aws-sdk/client-wafv2'
import { argumentsOf, cookiesOf } from './arguments.ts'
import { clientAddresses } from './client-address.ts'
import type { Inspection } from './inspection.ts'
import { headerValues } from './request.ts'
import { transform } from './transformations.ts'

/** The parts of a request's key; undefined: the request is not counted, because a part is absent. */
export function aggregateKey(
  statement: RateBasedStatement,
  inspection: Pick<Inspection, 'request' | 'labels'>,
): readonly string[] | undefined {
  switch (statement.AggregateKeyType) {
    case 'CONSTANT':
      return []
    case 'FORWARDED_IP': {
      const addresses = clientAddresses(inspection.request, statement.ForwardedIPConfig)
      // Where the fallback is a match, all such requests are counted together.
      if (typeof addresses === 'string') return addresses === 'MATCH' ? ['-'] : undefined
      return addresses.length === 0 ? undefined : [addresses[0]!]
    }
    case 'CUSTOM_KEYS': {
      const parts = (statement.CustomKeys ?? []).map((key) => customKey(key, statement, inspection))
      return parts.some((part) => part === undefined) ? undefined : (parts as string[])
    }
    default:
      return [inspection.request.clientIp]
  }
}

function customKey(
  key: RateBasedStatementCustomKey,
  statement: RateBasedStatement,
  { request, labels }: Pick<Inspection, 'request' | 'labels'>,
): string | undefined {
  const transformed = (text: string | undefined, types: { readonly Type?: string | undefined }[] | undefined) =>
    text === undefined
      ? undefined
      : transform(text, (types ?? []).map(({ Type }) => Type) as Parameters<typeof transform>[1])
  if (key.IP) return request.clientIp
  if (key.ForwardedIP) {
    const addresses = clientAddresses(request, statement.ForwardedIPConfig)
    return typeof addresses === 'string' ? (addresses === 'MATCH' ? '-' : undefined) : addresses[0]
  }
  if (key.HTTPMethod) return request.method
  if (key.Header) return transformed(headerValues(request, key.Header.Name!)[0], key.Header.TextTransformations)
  if (key.Cookie) {
    const cookie = cookiesOf(headerValues(request, 'cookie')).find(({ name }) => name === key.Cookie!.Name)
    return transformed(cookie?.value, key.Cookie.TextTransformations)
  }
  if (key.QueryArgument) {
    const wanted = key.QueryArgument.Name!.toLowerCase()
    const argument = argumentsOf(request.query).find(({ name }) => name.toLowerCase() === wanted)
    return transformed(argument?.value, key.QueryArgument.TextTransformations)
  }
  if (key.QueryString) return transformed(request.query, key.QueryString.TextTransformations)
  if (key.UriPath) return transformed(request.path, key.UriPath.TextTransformations)
  if (key.LabelNamespace) {
    const namespace = key.LabelNamespace.Namespace!
    const found = [...labels].filter((label) => label.startsWith(namespace))
    return found.length === 0 ? undefined : found.join()
  }
  if (key.JA3Fingerprint) return request.ja3 ?? (key.JA3Fingerprint.FallbackBehavior === 'MATCH' ? '-' : undefined)
  if (key.JA4Fingerprint) return request.ja4 ?? (key.JA4Fingerprint.FallbackBehavior === 'MATCH' ? '-' : undefined)
  if (key.ASN) return request.asn === undefined ? undefined : String(request.asn)
  return undefined
}
