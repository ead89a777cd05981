/** Which load balancer a request is for, and which rule of its listener matches. */
import { IpSet } from '../../engines/waf/ip-set.ts'
import type {
  PublishedAction,
  PublishedCondition,
  PublishedListener,
  PublishedLoadBalancer,
} from '../../kernel/planes/gateway-content.ts'
import { type GatewayRequest, hostOf } from './request.ts'

export interface CompiledRule {
  readonly matches: (request: GatewayRequest) => boolean
  readonly action: PublishedAction
}

/** A listener of one load balancer. Those that share a port are distinguished by the host of the request. */
export interface Route {
  readonly balancer: PublishedLoadBalancer
  readonly listener: PublishedListener
  readonly rules: readonly CompiledRule[]
  /** The host is one that a rule of the listener names. */
  readonly namesHost: (host: string) => boolean
}

/**
 * A matcher for AWS's wildcards: `*` stands for any number of characters, `?` for one. It takes time in the product of both lengths
 * at most, whatever the pattern.
 */
export function wildcard(pattern: string, ignoresCase: boolean): (text: string) => boolean {
  const wanted = ignoresCase ? pattern.toLowerCase() : pattern
  if (!/[*?]/.test(wanted)) return (text) => (ignoresCase ? text.toLowerCase() : text) === wanted
  return (original) => {
    const text = ignoresCase ? original.toLowerCase() : original
    let [at, inPattern, star, afterStar] = [0, 0, -1, 0]
    while (at < text.length) {
      if (inPattern < wanted.length && wanted[inPattern] === '*') {
        star = inPattern++
        afterStar = at
      } else if (inPattern < wanted.length && (wanted[inPattern] === '?' || wanted[inPattern] === text[at])) {
        inPattern++
        at++
      } else if (star >= 0) {
        inPattern = star + 1
        at = ++afterStar
      } else return false
    }
    while (wanted[inPattern] === '*') inPattern++
    return inPattern === wanted.length
  }
}

/** Source: RuleCondition of the API reference, which says of each field whether its case counts. */
function compileCondition(condition: PublishedCondition): (request: GatewayRequest) => boolean {
  switch (condition.field) {
    case 'host-header': {
      const any = condition.values.map((value) => wildcard(value, true))
      return ({ authority }) => any.some((matches) => matches(hostOf(authority) ?? ''))
    }
    case 'path-pattern': {
      const any = condition.values.map((value) => wildcard(value, false))
      return ({ path }) => any.some((matches) => matches(path))
    }
    case 'http-request-method':
      return ({ method }) => condition.values.includes(method)
    case 'http-header': {
      const name = condition.name.toLowerCase()
      const any = condition.values.map((value) => wildcard(value, true))
      return ({ headers }) =>
        headers.some(([each, value]) => each.toLowerCase() === name && any.some((matches) => matches(value)))
    }
    case 'source-ip': {
      const ranges = new IpSet(condition.values)
      return ({ connection }) => ranges.has(connection.address)
    }
    case 'query-string': {
      const any = condition.values.map(({ key, value }) => ({
        key: key === undefined ? () => true : wildcard(key, true),
        value: wildcard(value, true),
      }))
      return ({ query }) =>
        (query ?? '').split('&').some((pair) => {
          const equals = pair.indexOf('=')
          const [key, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
          return any.some((each) => each.key(key) && each.value(value))
        })
    }
  }
}

export function compileRoute(balancer: PublishedLoadBalancer, listener: PublishedListener): Route {
  const hosts = listener.rules.flatMap(({ conditions }) =>
    conditions.flatMap((condition) => (condition.field === 'host-header' ? condition.values : [])),
  )
  const named = hosts.map((host) => wildcard(host, true))
  return {
    balancer,
    listener,
    rules: listener.rules.map(({ conditions, action }) => {
      const all = conditions.map(compileCondition)
      return { action, matches: (request) => all.every((matches) => matches(request)) }
    }),
    namesHost: (host) => named.some((matches) => matches(host)),
  }
}

/** undefined when several load balancers share the port, and the host is of none, or not clearly of one. */
export function routeOf(routes: readonly Route[], authority: string): Route | undefined {
  if (routes.length <= 1) return routes[0]
  const host = hostOf(authority) ?? ''
  const byName = routes.find(({ balancer }) => balancer.dnsName === host)
  if (byName) return byName
  const byRule = routes.filter((route) => route.namesHost(host))
  return byRule.length === 1 ? byRule[0] : undefined
}

export const actionFor = ({ rules }: Route, request: GatewayRequest): PublishedAction | undefined =>
  rules.find(({ matches }) => matches(request))?.action
