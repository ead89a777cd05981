/**
 * The SAML applications port: service providers to which IAM Identity Center is the identity provider. Provided by IAM
 * Identity Center; used by its portal, which answers them, and by the operator, who configures them.
 *
 * @example
 * const found = await use(samlApplications).find(unit, arn)
 * const xml = await issueResponse(request, found.signer(vault))
 */
import type { SamlSigner } from '../../engines/saml/issue.ts'
import type { Unit } from '../../store/store.ts'
import type { StoredMaterial } from '../../vault/material/materials.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'
import type { SsoInstance } from './sso-instances.ts'

/** Formats of the subject, by the last part of their URI. */
export type NameIdFormat = 'emailAddress' | 'persistent' | 'transient' | 'unspecified'
/** Formats of an attribute's name. */
export type AttributeFormat = 'basic' | 'unspecified' | 'uri'

export interface SamlAttribute {
  readonly name: string
  /** `${user:email}`, `${path:enterprise.department}`, or a fixed value. */
  readonly source: string
  readonly format: AttributeFormat
}

export interface SamlSettings {
  /** The entity ID of the service provider. */
  readonly audience: string
  /** Assertion consumer services; the first is the default. */
  readonly acs: readonly { readonly url: string; readonly index: number }[]
  /** Sent where the person begins at the portal. */
  readonly relayState?: string
  readonly subject: { readonly source: string; readonly format: NameIdFormat }
  readonly attributes: readonly SamlAttribute[]
  readonly isSignedRequestRequired: boolean
  /** Of the service provider: DER, base64. */
  readonly requestCertificates: readonly string[]
}

export interface SamlCertificate {
  readonly id: string
  /** DER, base64. */
  readonly certificate: string
  /** The one that signs. */
  readonly isActive: boolean
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly expiresAt: number
}

export interface SamlApplication {
  readonly arn: string
  readonly id: string
  readonly name: string
  readonly instance: SsoInstance
  readonly isEnabled: boolean
  /** undefined until it is configured. */
  readonly settings: SamlSettings | undefined
  readonly certificates: readonly SamlCertificate[]
  /** With the active certificate. */
  readonly signer: (vault: Pick<Vault, 'materials'>) => SamlSigner
}

/** A certificate with its key, before a transaction stores it. */
export interface NewSamlCertificate extends Omit<SamlCertificate, 'isActive'> {
  readonly held: StoredMaterial
}

/** Operations on applications that do not exist, or are no SAML applications, throw a fault. */
export interface SamlApplicationsPort {
  /** By its ARN. undefined for applications of other kinds, too. */
  find(reader: Reader, arn: string): Promise<SamlApplication | undefined>
  /** By the IDs in the address of its sign-on endpoint. */
  findAt(reader: Reader, instanceId: string, applicationId: string): Promise<SamlApplication | undefined>
  /** Replaces all settings. Throws a fault that says which is wrong. */
  configure(unit: Unit, arn: string, settings: SamlSettings): Promise<void>
  /** Makes a key and its certificate for five years. Outside of a transaction: it takes long. */
  newCertificate(
    vault: Pick<Vault, 'materials'>,
    application: Pick<SamlApplication, 'id' | 'instance'>,
    now: number,
  ): Promise<NewSamlCertificate>
  /** Two at most; the added one signs once it is activated. */
  addCertificate(unit: Unit, arn: string, certificate: NewSamlCertificate): Promise<void>
  activateCertificate(unit: Unit, arn: string, certificateId: string): Promise<void>
  /** Not the active one. */
  deleteCertificate(unit: Unit, arn: string, certificateId: string): Promise<void>
}

export const samlApplications = port<SamlApplicationsPort>('saml-applications')
