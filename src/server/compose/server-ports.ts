/** The ports that the server and its planes provide to services, where its options do not replace them. */
import { planeSecrets, planeSecretsPort } from '../../kernel/planes/sealed-secrets.ts'
import { accountKeys } from '../../kernel/ports/account-keys.ts'
import { acmeAuthority } from '../../kernel/ports/acme-authority.ts'
import { type AnalysisPort, analyses } from '../../kernel/ports/analyses.ts'
import { domainRecords } from '../../kernel/ports/domain-records.ts'
import { endpointProbes } from '../../kernel/ports/endpoint-probes.ts'
import { eventLog } from '../../kernel/ports/event-log.ts'
import { federationHttp } from '../../kernel/ports/federation-http.ts'
import { logHeads } from '../../kernel/ports/log-heads.ts'
import { outbound } from '../../kernel/ports/outbound.ts'
import { type Provided, provide } from '../../kernel/ports/port.ts'
import type { OutboundPort } from '../../kernel/ports/ports.ts'
import { socialSignIn } from '../../kernel/ports/social-sign-in.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import type { PreparesAccounts } from '../../kernel/service/account-keys.ts'
import type { Store } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { worldsDns } from '../domain-records.ts'
import { endpointProbesPort } from '../endpoint-probes.ts'
import { acmeAuthorityPort } from './acme-authority.ts'
import { federationRequests, outbound as guardedRequests } from './outbound.ts'
import { readSocialSettings, socialSignInPort } from './social-sign-in.ts'

export interface ServerPortsOptions {
  readonly store: Store
  readonly vault: Vault
  readonly keys: PreparesAccounts
  readonly analyses: AnalysisPort
  /** What planes in this process provide. */
  readonly planes: readonly Provided[]
  readonly publicUrl?: string | undefined
  /** The address of pages, as far as it is known. */
  readonly pagesOrigin: () => string | undefined
  /** Default: the network, guarded. */
  readonly outbound?: OutboundPort | undefined
  /** Replace ports of the same name. */
  readonly provides?: readonly Provided[] | undefined
}

/** `provides`, and what they do not replace. */
export function serverPorts(options: ServerPortsOptions): readonly Provided[] {
  const { store, vault, keys, publicUrl, pagesOrigin, provides = [] } = options
  const given = provides.find(({ token }) => token.name === federationHttp.name)
  const http = (given?.value as ReturnType<typeof federationRequests> | undefined) ?? federationRequests()
  const origins = () => [pagesOrigin(), publicUrl].filter((origin) => origin !== undefined)
  const own = [
    provide(accountKeys, { prepare: (account) => keys.prepare(vault, account) }),
    provide(outbound, options.outbound ?? guardedRequests()),
    provide(eventLog, { query: (query) => store.log(query) }),
    provide(analyses, options.analyses),
    provide(webOrigin, { origin: pagesOrigin, origins }),
    provide(domainRecords, worldsDns()),
    provide(endpointProbes, endpointProbesPort()),
    provide(acmeAuthority, acmeAuthorityPort()),
    provide(federationHttp, http),
    provide(logHeads, { heads: () => store.heads() }),
    provide(planeSecrets, planeSecretsPort(vault)),
    provide(socialSignIn, socialSignInPort(readSocialSettings(process.env['MERLON_SOCIAL_SIGN_IN']), http)),
    ...options.planes,
  ]
  return [...provides, ...own.filter(({ token: { name } }) => !provides.some(({ token }) => token.name === name))]
}
