/**
 * Statements on where an address is. A geographic one labels each request that it inspects, whether or not it matches.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-geo-match.html
 */
import type { AsnMatchStatement, GeoMatchStatement } from '@aws-sdk/client-wafv2'
import { clientAddresses, type ForwardedAddress } from './client-address.ts'
import type { Inspection } from './inspection.ts'

interface Place {
  readonly country?: string | undefined
  readonly region?: string | undefined
  readonly asn?: number | undefined
}

/** What AWS writes where it does not know a country or region. */
const UNKNOWN = 'XX'
/** What AWS matches where it does not know the number. */
const ASN_UNKNOWN = 0

export function compileGeoMatch(statement: GeoMatchStatement): (inspection: Inspection) => boolean {
  const { CountryCodes, ForwardedIPConfig: forwarded } = statement
  const countries = new Set<string>(CountryCodes)
  const namespace = forwarded ? 'awswaf:forwardedip:geo' : 'awswaf:clientip:geo'
  return (inspection) => {
    const place = placeOf(inspection, forwarded)
    if (typeof place === 'string') return place === 'MATCH'
    if (!place) return false
    const { country = UNKNOWN, region = UNKNOWN } = place
    inspection.addLabel(`${namespace}:country:${country}`)
    inspection.addLabel(`${namespace}:region:${country}-${region}`)
    return countries.has(country)
  }
}

export function compileAsnMatch(statement: AsnMatchStatement): (inspection: Inspection) => boolean {
  const { AsnList = [], ForwardedIPConfig: forwarded } = statement
  const numbers = new Set(AsnList.map(Number))
  return (inspection) => {
    const place = placeOf(inspection, forwarded)
    if (typeof place === 'string') return place === 'MATCH'
    return place !== undefined && numbers.has(place.asn ?? ASN_UNKNOWN)
  }
}

/** undefined: the header is absent, and the statement does not apply. */
function placeOf(
  inspection: Inspection,
  forwarded: ForwardedAddress | undefined,
): Place | 'MATCH' | 'NO_MATCH' | undefined {
  const { request, addresses } = inspection
  if (!forwarded) return request
  const found = clientAddresses(request, forwarded)
  if (typeof found === 'string') return found
  return found[0] === undefined ? undefined : (addresses.placeOf(found[0]) ?? {})
}
