/** The format of seeds: what a development server begins with. */

/** A policy document, as YAML or as JSON text. */
export type SeedDocument = object | string

export interface SeedKey {
  readonly id: string
  readonly secret: string
}

export interface SeedHolder {
  readonly name: string
  readonly path?: string
  /** Names of the account's managed policies, or ARNs. */
  readonly policies?: readonly string[]
  readonly inline?: Readonly<Record<string, SeedDocument>>
}

export interface SeedUser extends SeedHolder {
  readonly tags?: Readonly<Record<string, string>>
  readonly groups?: readonly string[]
  readonly keys?: readonly SeedKey[]
}

export interface SeedRole extends SeedHolder {
  readonly trust: SeedDocument
  readonly tags?: Readonly<Record<string, string>>
}

/** A KMS key. Clients name it by its alias. */
export interface SeedKmsKey {
  /** `alias/orders`; the prefix may be left out. */
  readonly alias: string
  readonly description?: string
  /** Default: `SYMMETRIC_DEFAULT`. */
  readonly spec?: string
  /** Default: `ENCRYPT_DECRYPT`. */
  readonly usage?: string
  readonly policy?: SeedDocument
  readonly tags?: Readonly<Record<string, string>>
}

export interface SeedSecret {
  readonly name: string
  /** Text, or an object that is kept as its JSON text. */
  readonly value: string | object
  readonly description?: string
  /** Id, ARN or alias of the KMS key. */
  readonly key?: string
  readonly policy?: SeedDocument
  readonly tags?: Readonly<Record<string, string>>
}

export interface SeedBucket {
  readonly name: string
  readonly policy?: SeedDocument
  /** Contents by key. */
  readonly objects?: Readonly<Record<string, string>>
}

/** A part of the organization's tree: the root, or an organizational unit. */
export interface SeedUnit {
  /** Names of the organization's policies. */
  readonly policies?: readonly string[]
  /** Ids of accounts of the seed. The management account stays in the root. */
  readonly accounts?: readonly string[]
  readonly units?: readonly (SeedUnit & { readonly name: string })[]
}

export interface SeedOrganization extends SeedUnit {
  /** The management account. Default: the seed's first account. */
  readonly management?: string
  readonly controls?: readonly {
    readonly name: string
    /** Default: `SERVICE_CONTROL_POLICY`. */
    readonly type?: 'SERVICE_CONTROL_POLICY' | 'RESOURCE_CONTROL_POLICY'
    readonly document: SeedDocument
  }[]
}

export interface SeedAccount {
  readonly id: string
  readonly name?: string
  readonly rootKey?: SeedKey
  readonly policies?: readonly { readonly name: string; readonly path?: string; readonly document: SeedDocument }[]
  readonly groups?: readonly SeedHolder[]
  readonly users?: readonly SeedUser[]
  readonly roles?: readonly SeedRole[]
  readonly kmsKeys?: readonly SeedKmsKey[]
  readonly secrets?: readonly SeedSecret[]
  readonly buckets?: readonly SeedBucket[]
}

export interface Seed {
  readonly accounts: readonly SeedAccount[]
  /** Made once the accounts are complete: control policies do not bind the seed itself. */
  readonly organization?: SeedOrganization
  /** `seed.yaml, line 7`; where a part of it was read from. */
  readonly placeOf?: (path: readonly (string | number)[]) => string
}
