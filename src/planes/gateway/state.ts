/** What the gateway works with: the content of a snapshot, with its routes, its TLS contexts and its secrets opened. */
import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls'
import type { PublishedWebAcl } from '../../engines/waf/published.ts'
import type {
  GatewayContent,
  GatewaySecrets,
  PublishedListener,
  PublishedTargetGroup,
} from '../../kernel/planes/gateway-content.ts'
import type { OpenSecrets } from '../../kernel/planes/sealed-secrets.ts'
import { SealedCookies } from '../../kernel/web-acl-tokens/sealed-cookies.ts'
import { compileRoute, type Route } from './routing.ts'

interface NamedContext {
  readonly namesHost: (host: string) => boolean
  /** Names without wildcards are looked for first. */
  readonly isExact: (host: string) => boolean
  readonly context: SecureContext
  readonly offersHttp2: boolean
}

/** The listeners of one port. */
export interface PortState {
  readonly plain: readonly Route[]
  readonly secure: readonly Route[]
  readonly contexts: readonly NamedContext[]
}

export interface GatewayState {
  readonly ports: ReadonlyMap<number, PortState>
  readonly groups: ReadonlyMap<string, PublishedTargetGroup>
  readonly webAcls: readonly PublishedWebAcl[]
  readonly cookies: SealedCookies
}

export type ReportError = (message: string, details: object) => void

export function openState(content: GatewayContent, openSecrets: OpenSecrets, onError: ReportError): GatewayState {
  const secrets = openSecrets(content.secrets) as GatewaySecrets
  const ports = new Map<number, { plain: Route[]; secure: Route[]; contexts: NamedContext[] }>()
  for (const balancer of content.loadBalancers)
    for (const listener of balancer.listeners) {
      const port = ports.get(listener.port) ?? { plain: [], secure: [], contexts: [] }
      ports.set(listener.port, port)
      const route = compileRoute(balancer, listener)
      if (listener.protocol === 'HTTP') port.plain.push(route)
      else {
        port.secure.push(route)
        const offersHttp2 = balancer.attributes['routing.http2.enabled'] !== 'false'
        port.contexts.push(...contextsOf(listener, content.certificates, secrets, offersHttp2, onError))
      }
    }
  return {
    ports,
    groups: new Map(content.targetGroups.map((group) => [group.arn, group])),
    webAcls: content.loadBalancers.flatMap(({ webAcl }) => webAcl ?? []),
    cookies: new SealedCookies(secrets.tokenKey),
  }
}

/** In the order of the certificates: the default one first. */
function contextsOf(
  { arn, certificates, tls }: PublishedListener,
  chains: GatewayContent['certificates'],
  { privateKeys }: GatewaySecrets,
  offersHttp2: boolean,
  onError: ReportError,
): readonly NamedContext[] {
  const versions = (tls?.protocols ?? ['TLSv1.2', 'TLSv1.3']).filter(
    (version) => version !== 'TLSv1' && version !== 'TLSv1.1',
  )
  return certificates.flatMap((certificate) => {
    const [cert, key] = [chains[certificate], privateKeys[certificate]]
    if (cert === undefined || key === undefined) return []
    try {
      const names = namesOf(cert)
      const exact = new Set(names.filter((name) => !name.startsWith('*.')))
      const patterns = names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1))
      return [
        {
          isExact: (host: string) => exact.has(host),
          // A wildcard stands for one label (RFC 9525 §6.3).
          namesHost: (host: string) =>
            exact.has(host) ||
            patterns.some((suffix) => host.endsWith(suffix) && !host.slice(0, -suffix.length).includes('.')),
          context: createSecureContext({
            cert,
            key,
            minVersion: versions[0] as SecureVersion,
            maxVersion: versions.at(-1) as SecureVersion,
            ...(tls && { ciphers: tls.ciphers.join(':') }),
          }),
          offersHttp2,
        },
      ]
    } catch (error) {
      onError('certificate cannot be used', { listener: arn, certificate, error: (error as Error).message })
      return []
    }
  })
}

function namesOf(chain: string): readonly string[] {
  const { subjectAltName = '', subject } = new X509Certificate(chain)
  const alternatives = [...subjectAltName.matchAll(/DNS:([^,\s]+)/g)].map(([, name]) => name!.toLowerCase())
  const common = /(?:^|\n)CN=([^\n]+)/.exec(subject)?.[1]?.toLowerCase()
  return alternatives.length > 0 ? alternatives : common === undefined ? [] : [common]
}

/** By the name that the client requests (SNI); without one, or one that no certificate has, the first listener's default certificate. */
export function contextFor({ contexts }: PortState, serverName: string | undefined): NamedContext | undefined {
  const host = serverName?.toLowerCase().replace(/\.$/, '') ?? ''
  return (
    contexts.find(({ isExact }) => isExact(host)) ?? contexts.find(({ namesHost }) => namesHost(host)) ?? contexts[0]
  )
}
