/** What is known of services besides the language: handed in, because the language itself knows none. */

export type KeyType = 'String' | 'Numeric' | 'Bool' | 'Date' | 'ARN' | 'ArrayOfString' | 'ArrayOfARN' | 'IPAddress'

export interface ServiceFacts {
  /** Names without their prefix, in lower case. */
  readonly actions: ReadonlySet<string>
  /** Undefined where only the actions of the service are known. */
  readonly details?: {
    /** `arn:${Partition}:s3:::${BucketName}` */
    readonly arns: readonly string[]
    /** `s3:prefix`, `aws:RequestTag/${TagKey}`: as written, by type. */
    readonly keys: Readonly<Record<string, string>>
    /** By action in lower case; a key that ends in a slash means a family. */
    readonly actionKeys?: ReadonlyMap<string, readonly string[]>
  }
}

export interface Reference {
  /** By the prefix of its actions, in lower case. */
  service(prefix: string): ServiceFacts | undefined
  /** Services of ARNs and prefixes of keys that no action begins with: `catalog`, `servicecatalog`. */
  readonly arnServices?: ReadonlySet<string>
  readonly keyPrefixes?: ReadonlySet<string>
  /** Prefixes of the actions that resource control policies reach. */
  readonly rcpServices?: ReadonlySet<string>
  /** Why no request to this server has the condition key; undefined: requests have it, or the server does not know it. */
  absent?(key: string): string | undefined
}

/**
 * The global condition keys, in lower case, by type.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export const GLOBAL_KEYS: Readonly<Record<string, KeyType>> = {
  'aws:assumedroot': 'String',
  'aws:calledvia': 'ArrayOfString',
  'aws:calledviaawsmcp': 'String',
  'aws:calledviafirst': 'String',
  'aws:calledvialast': 'String',
  'aws:chatbotsourcearn': 'ARN',
  'aws:currenttime': 'Date',
  'aws:ec2instancesourceprivateipv4': 'IPAddress',
  'aws:ec2instancesourcevpc': 'String',
  'aws:epochtime': 'Date',
  'aws:federatedprovider': 'String',
  'aws:ismcpserviceaction': 'Bool',
  'aws:multifactorauthage': 'Numeric',
  'aws:multifactorauthpresent': 'Bool',
  'aws:principalaccount': 'String',
  'aws:principalarn': 'ARN',
  'aws:principalisawsservice': 'Bool',
  'aws:principalorgid': 'String',
  'aws:principalorgmasteraccountid': 'String',
  'aws:principalorgpaths': 'ArrayOfString',
  'aws:principalservicename': 'String',
  'aws:principalservicenameslist': 'ArrayOfString',
  'aws:principaltype': 'String',
  'aws:referer': 'String',
  'aws:requestedregion': 'String',
  'aws:resourceaccount': 'String',
  'aws:resourceorgid': 'String',
  'aws:resourceorgpaths': 'ArrayOfString',
  'aws:securetransport': 'Bool',
  'aws:signinsessionarn': 'ARN',
  'aws:sourceaccount': 'String',
  'aws:sourcearn': 'ARN',
  'aws:sourceidentity': 'String',
  'aws:sourceip': 'IPAddress',
  'aws:sourceorgid': 'String',
  'aws:sourceorgpaths': 'ArrayOfString',
  'aws:sourceowner': 'String',
  'aws:sourcevpc': 'String',
  'aws:sourcevpcarn': 'ARN',
  'aws:sourcevpce': 'String',
  'aws:tagkeys': 'ArrayOfString',
  'aws:tokenissuetime': 'Date',
  'aws:useragent': 'String',
  'aws:userid': 'String',
  'aws:username': 'String',
  'aws:viaawsmcpservice': 'Bool',
  'aws:viaawsservice': 'Bool',
  'aws:vpceaccount': 'String',
  'aws:vpceorgid': 'String',
  'aws:vpceorgpaths': 'ArrayOfString',
  'aws:vpcsourceip': 'IPAddress',
}

/** Keys that end in a tag's name. */
export const TAG_KEYS = ['aws:principaltag/', 'aws:requesttag/', 'aws:resourcetag/'] as const

/** Keys AWS has replaced. */
export const DEPRECATED_KEYS: ReadonlySet<string> = new Set(['aws:sourceowner', 'aws:arn'])
