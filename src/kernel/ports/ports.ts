/** The ports that `call.ports` names. `call.use(token)` reaches every port; each has a file in `ports/`. */
import { type AccountsPort, accounts } from './accounts.ts'
import { type AnalysisPort, analyses } from './analyses.ts'
import { type BlobsPort, blobs } from './blobs.ts'
import { type EventLogPort, eventLog } from './event-log.ts'
import { type FunctionsPort, functions } from './functions.ts'
import { type IdentityPort, identity } from './identity.ts'
import { type KeysPort, keys } from './keys.ts'
import { type OrganizationPort, organizations } from './organizations.ts'
import { type OutboundPort, outbound } from './outbound.ts'
import type { Use } from './port.ts'

export type { AccountsPort, NewTenant } from './accounts.ts'
export type { BlobPlace, BlobsPort } from './blobs.ts'
export type { EventLogPort } from './event-log.ts'
export type * from './identity.ts'
export type { KeysPort } from './keys.ts'
export type { Membership, OrganizationContext, OrganizationPort } from './organizations.ts'
export type { OutboundPort } from './outbound.ts'

export interface Ports {
  readonly keys: KeysPort
  readonly identity: IdentityPort
  readonly organizations: OrganizationPort
  readonly accounts: AccountsPort
  readonly outbound: OutboundPort
  readonly events: EventLogPort
  readonly functions: FunctionsPort
  readonly blobs: BlobsPort
  readonly analyses: AnalysisPort
}

/** Looks each port up when it is used: a provider may open later. */
export const portsOf = (use: Use): Ports => ({
  get keys() {
    return use(keys)
  },
  get identity() {
    return use(identity)
  },
  get organizations() {
    return use(organizations)
  },
  get accounts() {
    return use(accounts)
  },
  get outbound() {
    return use(outbound)
  },
  get events() {
    return use(eventLog)
  },
  get functions() {
    return use(functions)
  },
  get blobs() {
    return use(blobs)
  },
  get analyses() {
    return use(analyses)
  },
})
