/** Attributes of load balancers, target groups and listeners: names, defaults and what they accept. */
import { type Attributes, invalid, notImplemented } from './resources.ts'

interface AttributeSpec {
  readonly value: string
  readonly accepts: RegExp | ((value: string) => boolean)
  /** Of a value that is accepted by AWS and not built here. */
  readonly unbuilt?: (value: string) => boolean
}
type AttributeTable = Readonly<Record<string, AttributeSpec>>

const BOOLEAN = /^(true|false)$/
const within = (least: number, most: number) => (value: string) =>
  /^\d{1,7}$/.test(value) && Number(value) >= least && Number(value) <= most
const flag = (value: 'true' | 'false'): AttributeSpec => ({ value, accepts: BOOLEAN })
const unbuiltFlag: AttributeSpec = { value: 'false', accepts: BOOLEAN, unbuilt: (value) => value === 'true' }
const text: AttributeSpec = { value: '', accepts: /^.{0,255}$/ }
const number = (value: number, least: number, most: number): AttributeSpec => ({
  value: String(value),
  accepts: within(least, most),
})

/** Source: LoadBalancerAttribute of the API reference, in the order of AWS's answers. */
export const loadBalancerAttributes: AttributeTable = {
  'access_logs.s3.enabled': unbuiltFlag,
  'access_logs.s3.bucket': text,
  'access_logs.s3.prefix': text,
  'idle_timeout.timeout_seconds': number(60, 1, 4_000),
  'deletion_protection.enabled': flag('false'),
  'routing.http2.enabled': flag('true'),
  'routing.http.drop_invalid_header_fields.enabled': flag('false'),
  'routing.http.xff_client_port.enabled': flag('false'),
  'routing.http.preserve_host_header.enabled': flag('false'),
  'routing.http.xff_header_processing.mode': { value: 'append', accepts: /^(append|preserve|remove)$/ },
  'load_balancing.cross_zone.enabled': { value: 'true', accepts: /^true$/ },
  'routing.http.desync_mitigation_mode': { value: 'defensive', accepts: /^(monitor|defensive|strictest)$/ },
  'client_keep_alive.seconds': number(3_600, 60, 604_800),
  'waf.fail_open.enabled': unbuiltFlag,
  'routing.http.x_amzn_tls_version_and_cipher_suite.enabled': flag('false'),
  'zonal_shift.config.enabled': unbuiltFlag,
  'connection_logs.s3.enabled': unbuiltFlag,
  'connection_logs.s3.bucket': text,
  'connection_logs.s3.prefix': text,
  'health_check_logs.s3.enabled': unbuiltFlag,
  'health_check_logs.s3.bucket': text,
  'health_check_logs.s3.prefix': text,
}

/** Source: TargetGroupAttribute of the API reference. */
export const targetGroupAttributes: AttributeTable = {
  'deregistration_delay.timeout_seconds': number(300, 0, 3_600),
  'stickiness.enabled': flag('false'),
  'stickiness.type': {
    value: 'lb_cookie',
    accepts: /^(lb_cookie|app_cookie)$/,
    unbuilt: (value) => value === 'app_cookie',
  },
  'stickiness.lb_cookie.duration_seconds': number(86_400, 1, 604_800),
  'stickiness.app_cookie.cookie_name': text,
  'stickiness.app_cookie.duration_seconds': number(86_400, 1, 604_800),
  'load_balancing.algorithm.type': {
    value: 'round_robin',
    accepts: /^(round_robin|least_outstanding_requests|weighted_random)$/,
  },
  'load_balancing.algorithm.anomaly_mitigation': {
    value: 'off',
    accepts: /^(on|off)$/,
    unbuilt: (value) => value === 'on',
  },
  'load_balancing.cross_zone.enabled': {
    value: 'use_load_balancer_configuration',
    accepts: /^(true|false|use_load_balancer_configuration)$/,
  },
  'slow_start.duration_seconds': {
    value: '0',
    accepts: (value) => value === '0' || within(30, 900)(value),
    unbuilt: (value) => value !== '0',
  },
  'target_group_health.dns_failover.minimum_healthy_targets.count': { value: '1', accepts: /^(off|\d{1,4})$/ },
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': { value: 'off', accepts: /^(off|\d{1,3})$/ },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': { value: '1', accepts: /^\d{1,4}$/ },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': {
    value: 'off',
    accepts: /^(off|\d{1,3})$/,
  },
}

const requestHeader = (name: string): AttributeSpec => ({ value: name, accepts: /^[A-Za-z0-9-]{1,40}$/ })
const responseHeader: AttributeSpec = { value: '', accepts: /^[\x20-\x7e]{0,1024}$/ }
const SECURE_LISTENER = 'routing.http.request.x_amzn_'

/** Source: ListenerAttribute of the API reference. Those of client certificates belong to HTTPS alone. */
export const listenerAttributes = (protocol: 'HTTP' | 'HTTPS'): AttributeTable => ({
  ...(protocol === 'HTTPS' && {
    [`${SECURE_LISTENER}mtls_clientcert_serial_number.header_name`]: requestHeader(
      'X-Amzn-Mtls-Clientcert-Serial-Number',
    ),
    [`${SECURE_LISTENER}mtls_clientcert_issuer.header_name`]: requestHeader('X-Amzn-Mtls-Clientcert-Issuer'),
    [`${SECURE_LISTENER}mtls_clientcert_subject.header_name`]: requestHeader('X-Amzn-Mtls-Clientcert-Subject'),
    [`${SECURE_LISTENER}mtls_clientcert_validity.header_name`]: requestHeader('X-Amzn-Mtls-Clientcert-Validity'),
    [`${SECURE_LISTENER}mtls_clientcert_leaf.header_name`]: requestHeader('X-Amzn-Mtls-Clientcert-Leaf'),
    [`${SECURE_LISTENER}mtls_clientcert.header_name`]: requestHeader('X-Amzn-Mtls-Clientcert'),
    [`${SECURE_LISTENER}tls_version.header_name`]: requestHeader('X-Amzn-Tls-Version'),
    [`${SECURE_LISTENER}tls_cipher_suite.header_name`]: requestHeader('X-Amzn-Tls-Cipher-Suite'),
  }),
  'routing.http.response.server.enabled': flag('true'),
  'routing.http.response.strict_transport_security.header_value': responseHeader,
  'routing.http.response.access_control_allow_origin.header_value': responseHeader,
  'routing.http.response.access_control_allow_methods.header_value': responseHeader,
  'routing.http.response.access_control_allow_headers.header_value': responseHeader,
  'routing.http.response.access_control_allow_credentials.header_value': responseHeader,
  'routing.http.response.access_control_expose_headers.header_value': responseHeader,
  'routing.http.response.access_control_max_age.header_value': responseHeader,
  'routing.http.response.content_security_policy.header_value': responseHeader,
  'routing.http.response.x_content_type_options.header_value': responseHeader,
  'routing.http.response.x_frame_options.header_value': responseHeader,
})

export const shownAttributes = (table: AttributeTable, stored: Attributes) =>
  Object.entries(table).map(([Key, { value }]) => ({ Key, Value: stored[Key] ?? value }))

/** The values to store. Throws for names and values that AWS refuses, and for those that are not built. */
export function changedAttributes(
  table: AttributeTable,
  stored: Attributes,
  pairs: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] = [],
): Attributes {
  const changed: Record<string, string> = { ...stored }
  for (const { Key = '', Value = '' } of pairs) {
    const spec = Object.hasOwn(table, Key) ? table[Key] : undefined
    if (!spec) throw invalid(`Load balancer attribute key '${Key}' is not recognized`)
    const { accepts, unbuilt } = spec
    if (!(accepts instanceof RegExp ? accepts.test(Value) : accepts(Value)))
      throw invalid(`The value of '${Key}' is not valid`)
    if (unbuilt?.(Value)) throw notImplemented(`the attribute ${Key}=${Value}`)
    if (Value === spec.value) delete changed[Key]
    else changed[Key] = Value
  }
  return changed
}

/** The value that holds. */
export const attribute = (table: AttributeTable, stored: Attributes, name: string): string =>
  stored[name] ?? table[name]?.value ?? ''
