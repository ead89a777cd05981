/** The format of seeds: what a development server begins with, and what `merlon export` writes. */

/** A policy document, as YAML or as JSON text. */
export type SeedDocument = object | string

export type SeedTags = Readonly<Record<string, string>>

/** An access key that was chosen beforehand. */
export interface SeedKey {
  readonly id: string
  readonly secret: string
}

export interface SeedPolicy {
  readonly name: string
  readonly path?: string
  readonly description?: string
  readonly document: SeedDocument
}

/** What groups, users and roles have in common. */
export interface SeedHolder {
  readonly name: string
  readonly path?: string
  /** Names of the account's managed policies, or ARNs. */
  readonly policies?: readonly string[]
  /** Documents by name. */
  readonly inline?: Readonly<Record<string, SeedDocument>>
}

export interface SeedUser extends SeedHolder {
  readonly tags?: SeedTags
  /** The permissions boundary: the name of a managed policy of the account, or an ARN. */
  readonly boundary?: string
  readonly groups?: readonly string[]
  readonly keys?: readonly SeedKey[]
}

export interface SeedRole extends SeedHolder {
  readonly trust: SeedDocument
  readonly description?: string
  readonly tags?: SeedTags
  /** As {@link SeedUser.boundary}. */
  readonly boundary?: string
  /** Seconds. Default: 3,600. */
  readonly maxSessionDuration?: number
}

/** A KMS key, with an alias or an ID or both. */
export interface SeedKmsKey {
  /** A UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key. Default: random. */
  readonly id?: string
  /** `alias/orders`; the prefix may be left out. */
  readonly alias?: string
  /** More aliases. */
  readonly aliases?: readonly string[]
  readonly description?: string
  /** Default: `SYMMETRIC_DEFAULT`. */
  readonly spec?: string
  /** Default: `ENCRYPT_DECRYPT`. */
  readonly usage?: string
  readonly policy?: SeedDocument
  readonly tags?: SeedTags
  /** Days between automatic rotations. */
  readonly rotationDays?: number
  /** False: the key is disabled. */
  readonly enabled?: boolean
}

export interface SeedSecret {
  readonly name: string
  /** Text, or an object that is kept as its JSON text. Without it the secret has no version. */
  readonly value?: string | object
  readonly description?: string
  /** ID, ARN or alias of the KMS key. */
  readonly key?: string
  readonly policy?: SeedDocument
  readonly tags?: SeedTags
}

export interface SeedBucket {
  readonly name: string
  readonly policy?: SeedDocument
  /** Contents by key. */
  readonly objects?: Readonly<Record<string, string>>
}

/** A function of Lambda. Its code: `image`, `files` or `zip`. */
export interface SeedFunction {
  readonly name: string
  /** The name of a role of the account, or an ARN. */
  readonly role: string
  /** A function that is part of Merlon, `merlon/Echo`, or the address of one that runs elsewhere. */
  readonly image?: string
  readonly runtime?: string
  readonly handler?: string
  /** Source files by path: `index.mjs`. */
  readonly files?: Readonly<Record<string, string>>
  /** A deployment package, in base64. */
  readonly zip?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Seconds. Default: 3. */
  readonly timeout?: number
  /** Mebibytes. Default: 128. */
  readonly memory?: number
  readonly description?: string
  readonly tags?: SeedTags
}

/** A log group of CloudWatch Logs. */
export interface SeedLogGroup {
  readonly name: string
  /** How long events are kept. Default: for ever. */
  readonly days?: number
  readonly tags?: SeedTags
}

/** An IP set of WAF, of IPv4 or IPv6 ranges. */
export interface SeedIpSet {
  readonly name: string
  /** A UUID. Default: random. */
  readonly id?: string
  readonly addresses: readonly string[]
  readonly description?: string
  readonly tags?: SeedTags
}

/** A web ACL of WAF. */
export interface SeedWebAcl {
  readonly name: string
  /** A UUID. Default: random. */
  readonly id?: string
  /** Of requests that no rule decides. Default: `allow`. */
  readonly default?: 'allow' | 'block'
  /** Further members of `CreateWebACL`, such as `Rules`. */
  readonly settings?: object
  readonly description?: string
  readonly tags?: SeedTags
}

/** A trail of CloudTrail, which logs from the start. The bucket's policy must allow the delivery. */
export interface SeedTrail {
  readonly name: string
  readonly bucket: string
  readonly prefix?: string
  readonly multiRegion?: boolean
}

/** A private certificate authority of ACM PCA, active from the start. */
export interface SeedAuthority {
  /** The common name. */
  readonly name: string
  /** The last part of the ARN: a UUID. Default: random. */
  readonly id?: string
  /** The authority of this seed that signs it. Default: it is a root. */
  readonly parent?: string
  /** Default: `EC_prime256v1`. */
  readonly algorithm?: string
  /** Default: 3,650. */
  readonly days?: number
  readonly tags?: SeedTags
}

/** A certificate of ACM: imported where `certificate` is there, private where `authority` is, else to be proved by DNS. */
export interface SeedCertificate {
  readonly domain: string
  /** The last part of the ARN: a UUID. Default: random. */
  readonly id?: string
  /** More names. */
  readonly names?: readonly string[]
  /** The authority of this seed that issues it. */
  readonly authority?: string
  /** PEM. */
  readonly certificate?: string
  readonly privateKey?: string
  readonly chain?: string
  readonly tags?: SeedTags
}

export interface SeedRecord {
  /** Below the zone's name; `@` is the zone itself. A name that ends with a dot is complete. */
  readonly name: string
  readonly type: string
  /** Seconds. Default: 300. */
  readonly ttl?: number
  readonly values: readonly string[]
}

/** A public hosted zone of Route 53. */
export interface SeedZone {
  readonly name: string
  /** `Z` and capital letters or digits. Default: random. */
  readonly id?: string
  readonly comment?: string
  readonly records?: readonly SeedRecord[]
}

export interface SeedSubnet {
  readonly name: string
  readonly cidr: string
  /** `us-east-1a`. Default: the first. */
  readonly zone?: string
  readonly tags?: SeedTags
}

export interface SeedRule {
  /** `tcp`, `udp`, `icmp` or a number. Default: all protocols. */
  readonly protocol?: string
  /** `443`, or `8000-8100`. Default: all ports. */
  readonly port?: number | string
  /** `10.0.0.0/8`, or `2001:db8::/32`. */
  readonly cidr?: string
  /** Instead of `cidr`: a security group of the same VPC. */
  readonly group?: string
}

export interface SeedSecurityGroup {
  readonly name: string
  /** Default: the name. */
  readonly description?: string
  readonly ingress?: readonly SeedRule[]
  /** Default: everything, as EC2 makes it. */
  readonly egress?: readonly SeedRule[]
  readonly tags?: SeedTags
}

/** A VPC of EC2, named by its tag `Name`. */
export interface SeedVpc {
  readonly name: string
  /** `vpc-` and 17 hexadecimal digits. Default: random. */
  readonly id?: string
  readonly cidr: string
  readonly subnets?: readonly SeedSubnet[]
  readonly securityGroups?: readonly SeedSecurityGroup[]
  readonly tags?: SeedTags
}

/** An app client of a user pool. */
export interface SeedPoolClient {
  readonly name: string
  /** Lower-case letters and digits. Default: random. */
  readonly id?: string
  /** At least 24 characters; `true`: a random one. Default: a client without a secret. */
  readonly secret?: string | true
  /** Further members of `CreateUserPoolClient`, such as `ExplicitAuthFlows`. */
  readonly settings?: object
}

export interface SeedPoolUser {
  readonly name: string
  /** Permanent. Without it the user must be assigned one. */
  readonly password?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly groups?: readonly string[]
}

/** A user pool of Amazon Cognito. */
export interface SeedUserPool {
  readonly name: string
  /** `us-east-1_AbCdEfGhI`. Default: random. */
  readonly id?: string
  /** The prefix of the hosted pages' address. */
  readonly domain?: string
  /** Further members of `CreateUserPool`, such as `AutoVerifiedAttributes`. */
  readonly settings?: object
  readonly clients?: readonly SeedPoolClient[]
  readonly groups?: readonly { readonly name: string; readonly description?: string; readonly role?: string }[]
  readonly users?: readonly SeedPoolUser[]
  readonly tags?: SeedTags
}

/** An identity pool of Amazon Cognito. */
export interface SeedIdentityPool {
  readonly name: string
  /** `us-east-1:` and a UUID. Default: random. */
  readonly id?: string
  /** Whether guests get credentials. Default: no. */
  readonly guests?: boolean
  /** App clients of this account's user pools, whose users may come, as `POOL/CLIENT` by name. */
  readonly clients?: readonly string[]
  /** Names of roles of the account. */
  readonly role?: string
  readonly guestRole?: string
}

/** A part of the organization's tree: the root, or an organizational unit. */
export interface SeedUnit {
  /** Names of the organization's policies. */
  readonly policies?: readonly string[]
  /** IDs of accounts of the seed. The management account stays in the root. */
  readonly accounts?: readonly string[]
  readonly units?: readonly (SeedUnit & { readonly name: string })[]
}

export interface SeedControl {
  readonly name: string
  /** Default: `SERVICE_CONTROL_POLICY`. */
  readonly type?: 'SERVICE_CONTROL_POLICY' | 'RESOURCE_CONTROL_POLICY'
  readonly description?: string
  readonly document: SeedDocument
}

export interface SeedOrganization extends SeedUnit {
  /** The management account. Default: the seed's first account. */
  readonly management?: string
  readonly controls?: readonly SeedControl[]
}

export interface SeedPermissionSet {
  readonly name: string
  readonly description?: string
  /** ARNs of AWS managed policies. */
  readonly policies?: readonly string[]
  readonly inline?: SeedDocument
  /** As ISO 8601 has it: `PT8H`. */
  readonly session?: string
}

export interface SeedAssignment {
  readonly permissionSet: string
  /** The name of a user, or of a group. */
  readonly user?: string
  readonly group?: string
  readonly accounts: readonly string[]
}

export interface SeedPerson {
  readonly name: string
  /** Default: the name. */
  readonly givenName?: string
  readonly familyName?: string
  readonly email?: string
  /** For the portal's sign-in page. */
  readonly password?: string
}

/** IAM Identity Center: an instance with its directory. Assignments need an organization. */
export interface SeedIdentityCenter {
  /** Default: the organization's management account, or the seed's first account. */
  readonly account?: string
  readonly users?: readonly SeedPerson[]
  readonly groups?: readonly { readonly name: string; readonly members?: readonly string[] }[]
  readonly permissionSets?: readonly SeedPermissionSet[]
  readonly assignments?: readonly SeedAssignment[]
}

export interface SeedAccount {
  readonly id: string
  readonly name?: string
  /** Of what is regional. Default: `us-east-1`. */
  readonly region?: string
  readonly rootKey?: SeedKey
  readonly policies?: readonly SeedPolicy[]
  readonly groups?: readonly SeedHolder[]
  readonly users?: readonly SeedUser[]
  readonly roles?: readonly SeedRole[]
  readonly kmsKeys?: readonly SeedKmsKey[]
  readonly secrets?: readonly SeedSecret[]
  readonly buckets?: readonly SeedBucket[]
  readonly trails?: readonly SeedTrail[]
  readonly functions?: readonly SeedFunction[]
  readonly logGroups?: readonly SeedLogGroup[]
  readonly ipSets?: readonly SeedIpSet[]
  readonly webAcls?: readonly SeedWebAcl[]
  readonly authorities?: readonly SeedAuthority[]
  readonly certificates?: readonly SeedCertificate[]
  readonly zones?: readonly SeedZone[]
  readonly vpcs?: readonly SeedVpc[]
  readonly userPools?: readonly SeedUserPool[]
  readonly identityPools?: readonly SeedIdentityPool[]
}

export interface Seed {
  readonly accounts: readonly SeedAccount[]
  /** Made once the accounts are complete: control policies do not bind the seed itself. */
  readonly organization?: SeedOrganization
  readonly identityCenter?: SeedIdentityCenter
  /** `seed.yaml, line 7`; where a part of it was read from. */
  readonly placeOf?: (path: readonly (string | number)[]) => string
}
