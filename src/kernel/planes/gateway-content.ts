/** What gateways know: the content of their snapshot. Elastic Load Balancing publishes it, the gateway plane works from it. */
import type { PublishedWebAcl } from '../../engines/waf/published.ts'
import type { SealedSecrets } from './sealed-secrets.ts'

export const GATEWAY = 'gateway'
export const GATEWAY_VERSION = 1

export type PublishedCondition =
  | { readonly field: 'host-header' | 'path-pattern' | 'http-request-method'; readonly values: readonly string[] }
  | { readonly field: 'http-header'; readonly name: string; readonly values: readonly string[] }
  | { readonly field: 'query-string'; readonly values: readonly { readonly key?: string; readonly value: string }[] }
  /** Ranges in CIDR notation. */
  | { readonly field: 'source-ip'; readonly values: readonly string[] }

export type PublishedAction =
  | {
      readonly type: 'forward'
      readonly groups: readonly { readonly arn: string; readonly weight: number }[]
      /** Seconds for which a client stays with a group; undefined: it does not. */
      readonly stickySeconds?: number
    }
  | {
      readonly type: 'redirect'
      readonly status: 301 | 302
      readonly protocol: string
      readonly host: string
      readonly port: string
      readonly path: string
      readonly query: string
    }
  | { readonly type: 'fixed-response'; readonly status: number; readonly contentType?: string; readonly body?: string }

export interface PublishedRule {
  readonly conditions: readonly PublishedCondition[]
  readonly action: PublishedAction
}

export interface PublishedListener {
  readonly arn: string
  readonly port: number
  readonly protocol: 'HTTP' | 'HTTPS'
  /** ARNs; the default certificate first. */
  readonly certificates: readonly string[]
  readonly tls?: { readonly protocols: readonly string[]; readonly ciphers: readonly string[] }
  /** By ascending priority; the last one has no conditions. */
  readonly rules: readonly PublishedRule[]
  /** Those that differ from their defaults. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface PublishedLoadBalancer {
  readonly arn: string
  readonly account: string
  readonly dnsName: string
  /** All of them. */
  readonly attributes: Readonly<Record<string, string>>
  readonly listeners: readonly PublishedListener[]
  readonly webAcl?: PublishedWebAcl
}

export interface PublishedTarget {
  /** As the group names it, `10.0.0.7:80` or `i-…:80`. */
  readonly name: string
  readonly address: string
  readonly port: number
  /** Gets no new clients. */
  readonly isDraining: boolean
}

export interface PublishedTargetGroup {
  readonly arn: string
  readonly protocol: 'HTTP' | 'HTTPS'
  readonly healthCheck: {
    readonly protocol: 'HTTP' | 'HTTPS'
    /** undefined: that of each target. */
    readonly port?: number
    readonly path: string
    readonly intervalSeconds: number
    readonly timeoutSeconds: number
    readonly healthyCount: number
    readonly unhealthyCount: number
    readonly codes: string
  }
  readonly algorithm: string
  /** Seconds for which a client stays with a target; undefined: it does not. */
  readonly stickySeconds?: number
  readonly targets: readonly PublishedTarget[]
}

/** Sealed in {@link GatewayContent}. */
export interface GatewaySecrets {
  /** By the ARN of the certificate: PEM, PKCS #8. */
  readonly privateKeys: Readonly<Record<string, string>>
  /** Of the tokens that clients get for challenges: 32 bytes, base64. */
  readonly tokenKey: string
}

export interface GatewayContent {
  readonly loadBalancers: readonly PublishedLoadBalancer[]
  readonly targetGroups: readonly PublishedTargetGroup[]
  /** By ARN: PEM, the leaf first. */
  readonly certificates: Readonly<Record<string, string>>
  readonly secrets: SealedSecrets
}

/** The message that gateways exchange through the server, each second. */
export interface GatewayMessage {
  readonly rates: readonly (readonly [key: string, windowSeconds: number, count: number])[]
  /** Target group ARN → target → health; only when it changed, and once a minute. */
  readonly health?: Readonly<Record<string, Readonly<Record<string, PublishedHealth>>>>
}

export interface PublishedHealth {
  readonly state: 'initial' | 'healthy' | 'unhealthy'
  /** `Target.ResponseCodeMismatch` */
  readonly reason?: string
  readonly description?: string
}

export interface GatewayAnswer {
  /** By gateway, without the own. */
  readonly rates: Readonly<Record<string, GatewayMessage['rates']>>
}
