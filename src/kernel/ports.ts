/** The ports that `call.ports` names. `call.use(token)` reaches every port; each has a file in `ports/`. */
import { type AccountsPort, accounts } from './ports/accounts.ts'
import { type AnalysisPort, analyses } from './ports/analyses.ts'
import { type BlobsPort, blobs } from './ports/blobs.ts'
import { type EventLogPort, eventLog } from './ports/event-log.ts'
import { type FunctionsPort, functions } from './ports/functions.ts'
import { type IdentityPort, identity } from './ports/identity.ts'
import { type KeysPort, keys } from './ports/keys.ts'
import { type OrganizationPort, organizations } from './ports/organizations.ts'
import { type OutboundPort, outbound } from './ports/outbound.ts'
import type { Use } from './ports/port.ts'

export type { AccountsPort, NewTenant } from './ports/accounts.ts'
export type { BlobPlace, BlobsPort } from './ports/blobs.ts'
export type { EventLogPort } from './ports/event-log.ts'
export type * from './ports/identity.ts'
export type { KeysPort } from './ports/keys.ts'
export type { Membership, OrganizationContext, OrganizationPort } from './ports/organizations.ts'
export type { OutboundPort } from './ports/outbound.ts'
export type { Reader } from './reader.ts'

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
