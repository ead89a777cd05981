/**
 * The instances port: what a person of IAM Identity Center may reach, provided by IAM Identity Center and used by its portal.
 *
 * @example
 * const accounts = await use(ssoInstances).accountsOf(instance, userId)
 */

import type { SamlMetadata } from '../../engines/saml/metadata.ts'
import type { Unit } from '../../store/store.ts'
import type { Reader } from '../state/reader.ts'
import type { IdentityStorePort } from './identity-store.ts'
import { port } from './port.ts'

export interface SsoInstance {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly storeId: string
}

export interface PortalRole {
  readonly accountId: string
  /** The permission set: the role's name in the portal. */
  readonly name: string
  /** The role in the account. */
  readonly roleName: string
  readonly sessionSeconds: number
  readonly relayState: string | undefined
}

/** What a person may do in an account, for lists. */
export interface AccountAccess {
  readonly id: string
  readonly name: string
  readonly alias?: string
  /** Names of permission sets, in order. */
  readonly roles: readonly string[]
}

/** What a lookup of a person's access reads. */
export interface PortalLookup {
  readonly reader: Reader
  readonly people: Pick<IdentityStorePort, 'groupsOf'>
}

/** An application as tokens see it. */
export interface SsoApplication {
  readonly arn: string
  readonly account: string
  readonly instance: SsoInstance
  readonly isEnabled: boolean
  readonly scopes: readonly string[]
  /** By grant type: the API's structure. */
  readonly grants: Readonly<Record<string, object>>
  /** Which IAM principals may call for it: JSON text. */
  readonly actorPolicy: string | undefined
}

/** A SAML provider at which the people of a directory sign in. */
export interface SamlSource {
  readonly metadata: SamlMetadata
}

/** An Active Directory or LDAP directory of Directory Service, whose people and groups are synchronized. */
export interface DirectorySource {
  readonly directoryId: string
  /** Names of the groups whose people are synchronized. Empty: everyone. */
  readonly groups: readonly string[]
}

/** Stored with the instance: never change the names of members. */
export type ExternalSource = SamlSource | DirectorySource

/** An application as the portal shows it. */
export interface PortalApplication {
  readonly id: string
  readonly name: string
  readonly description: string | undefined
  /** Where the application signs people in by itself; undefined: they begin at the portal. */
  readonly url: string | undefined
  readonly isSaml: boolean
}

/** An issuer outside whose tokens name people of the directory. */
export interface SsoTokenIssuer {
  readonly issuerUrl: string
  /** The claim that names the person: `email`, `user.name`. */
  readonly claimPath: string
  readonly attributePath: string
}

export interface SsoInstancesPort {
  application(reader: Reader, arn: string): Promise<SsoApplication | undefined>
  tokenIssuer(reader: Reader, arn: string): Promise<SsoTokenIssuer | undefined>
  /** Whether a person may use an application. */
  mayUse(lookup: PortalLookup, applicationArn: string, userId: string): Promise<boolean>
  /** undefined where people sign in with passwords of the directory itself. */
  externalSource(reader: Reader, instanceArn: string): Promise<ExternalSource | undefined>
  /**
   * Replaces the source of people; undefined: the directory itself. Another source ends every portal session. Throws a
   * fault for an instance that does not exist.
   */
  setExternalSource(unit: Unit, instanceId: string, source: ExternalSource | undefined): Promise<void>
  find(reader: Reader, instanceId: string): Promise<SsoInstance | undefined>
  /** The only instance of this installation; undefined where there are several, or none. */
  only(reader: Reader): Promise<SsoInstance | undefined>
  /** The applications that the portal shows to a person, by name. */
  applicationsOf(lookup: PortalLookup, instance: SsoInstance, userId: string): Promise<readonly PortalApplication[]>
  /**
   * What is assigned to a person or to the person's groups, by account, in order; as old as the last commit that this node
   * has seen.
   */
  accountsOf(instance: SsoInstance, userId: string): Promise<readonly AccountAccess[]>
  /** The roles of the person in one account, by name. */
  rolesIn(
    lookup: PortalLookup,
    instance: SsoInstance,
    userId: string,
    accountId: string,
  ): Promise<readonly PortalRole[]>
  /** Session tags by the attributes for access control. */
  sessionTags(
    reader: Reader,
    instance: SsoInstance,
    attributes: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>>
}

export const ssoInstances = port<SsoInstancesPort>('sso-instances')
