/**
 * CloudTrail records: management events, S3 data events and sign-ins.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
import type { ApiEvent, EventPrincipal, EventResource, JsonObject, PrincipalType } from '../types.ts'
import { EMPTY, isObject, isWithin, listOf, objectOf, textOf } from './json.ts'

/** Of parameters, in characters. CloudTrail itself cuts records at 256 KB. */
const PARAMETERS_MAX = 128 * 1024
const RESOURCES_MAX = 20

const PRINCIPAL_TYPES: ReadonlySet<string> = new Set<PrincipalType>([
  'Root',
  'IAMUser',
  'AssumedRole',
  'FederatedUser',
  'Role',
  'WebIdentityUser',
  'SAMLUser',
  'IdentityCenterUser',
  'Directory',
  'AWSAccount',
  'AWSService',
])

// Every event has the same members, undefined where there is nothing: members behind a spread are added one by one, slowly.

/**
 * Undefined for what is no CloudTrail record: without an ID, a time, a source and a name. `length`: of its JSON text, where
 * that is known, so that it need not be counted again.
 */
export function normalizeCloudTrail(input: unknown, length = Number.POSITIVE_INFINITY): ApiEvent | undefined {
  if (!isObject(input)) return undefined
  const time = Date.parse(textOf(input.eventTime, 40))
  const id = textOf(input.eventID, 100)
  const source = textOf(input.eventSource, 100)
  const name = textOf(input.eventName, 128)
  if (Number.isNaN(time) || id === '' || source === '' || name === '') return undefined
  const record: JsonObject = length <= PARAMETERS_MAX || isWithin(input, PARAMETERS_MAX) ? input : EMPTY
  const principal = sharedPrincipal(principalOf(objectOf(input.userIdentity)))
  const suffix = source.indexOf('.')
  const service = suffix < 0 ? source : source.slice(0, suffix)
  return {
    id,
    time,
    account: textOf(input.recipientAccountId, 12) || principal.account,
    region: textOf(input.awsRegion, 40) || 'us-east-1',
    source: sourceOf(service, name, input),
    principal,
    service,
    action: actionOf(name),
    resources: resourcesOf(input),
    address: textOf(input.sourceIPAddress, 128),
    userAgent: textOf(input.userAgent, 1_024),
    errorCode: textOf(input.errorCode, 128),
    errorMessage: textOf(input.errorMessage, 512),
    readOnly: input.readOnly === true || input.readOnly === 'true',
    request: objectOf(record.requestParameters),
    response: objectOf(record.responseElements),
    additional: objectOf(record.additionalEventData),
    vpcEndpointId: typeof input.vpcEndpointId === 'string' ? textOf(input.vpcEndpointId, 64) : undefined,
    record: record === EMPTY ? undefined : record,
  }
}

/** `{"Records": […]}`, an array, or a single record. */
export function cloudTrailRecords(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) return document
  if (isObject(document) && Array.isArray(document.Records)) return document.Records
  return [document]
}

/** Lambda's and CloudFront's names end with the version of their API: `CreateFunction20150331`. */
const actionOf = (name: string): string => {
  const last = name.charCodeAt(name.length - 1)
  const hasDigit = last >= 48 && last <= 57
  return hasDigit ? name.replace(/_?20\d\d_?\d\d_?\d\d(?:v\d{1,2})?$/, '') : name
}

function sourceOf(service: string, name: string, input: JsonObject): ApiEvent['source'] {
  if (service === 's3' && (input.eventCategory === 'Data' || input.managementEvent === false)) return 's3'
  if (service === 'signin' || input.eventType === 'AwsConsoleSignIn') return 'sign-in'
  return (service === 'sso' || service === 'cognito-idp') && /^(?:UserAuthentication|InitiateAuth|Federate)/.test(name)
    ? 'sign-in'
    : 'cloudtrail'
}

const PRINCIPALS_MAX = 5_000
const principals = new Map<string, EventPrincipal>()

/** One object for the many events of a session: those that wait for the watermark share it. What is dropped is only not shared. */
function sharedPrincipal(principal: EventPrincipal): EventPrincipal {
  const known = principals.get(principal.id)
  if (known && isSame(known, principal)) return known
  if (principals.size >= PRINCIPALS_MAX) principals.clear()
  principals.set(principal.id, principal)
  return principal
}

function isSame(a: EventPrincipal, b: EventPrincipal): boolean {
  return (
    a.accessKeyId === b.accessKeyId &&
    a.arn === b.arn &&
    a.type === b.type &&
    a.account === b.account &&
    a.userName === b.userName &&
    a.invokedBy === b.invokedBy &&
    a.mfa === b.mfa &&
    a.instanceDelivery === b.instanceDelivery &&
    a.issuer?.arn === b.issuer?.arn &&
    a.issuer?.id === b.issuer?.id &&
    a.issuer?.type === b.issuer?.type &&
    a.issuer?.userName === b.issuer?.userName
  )
}

function principalOf(identity: JsonObject): EventPrincipal {
  const session = objectOf(identity.sessionContext)
  const issuer = objectOf(session.sessionIssuer)
  const attributes = objectOf(session.attributes)
  const type = textOf(identity.type, 40)
  const arn = textOf(identity.arn, 2_048)
  const invokedBy = textOf(identity.invokedBy, 128)
  const delivery = session.ec2RoleDelivery ?? identity.ec2RoleDelivery
  return {
    type: PRINCIPAL_TYPES.has(type) ? (type as PrincipalType) : 'Unknown',
    id: textOf(identity.principalId, 256),
    arn,
    account: textOf(identity.accountId, 12),
    userName: textOf(identity.userName, 128) || textOf(issuer.userName, 128) || arn.slice(arn.lastIndexOf('/') + 1),
    accessKeyId: textOf(identity.accessKeyId, 128),
    // Sessions of users have an empty issuer.
    issuer:
      typeof issuer.arn === 'string'
        ? {
            type: textOf(issuer.type, 40),
            id: textOf(issuer.principalId, 128),
            arn: textOf(issuer.arn, 2_048),
            userName: textOf(issuer.userName, 128),
          }
        : undefined,
    invokedBy: invokedBy === '' ? undefined : invokedBy,
    mfa:
      attributes.mfaAuthenticated === undefined
        ? undefined
        : attributes.mfaAuthenticated === 'true' || attributes.mfaAuthenticated === true,
    instanceDelivery: delivery === undefined ? undefined : true,
  }
}

const NONE: readonly EventResource[] = Object.freeze([])

function resourcesOf(input: JsonObject): readonly EventResource[] {
  if (!Array.isArray(input.resources)) return NONE
  return listOf(input.resources)
    .slice(0, RESOURCES_MAX)
    .filter(isObject)
    .map((each) => ({
      arn: textOf(each.ARN ?? each.arn),
      type: textOf(each.type, 100),
      account: textOf(each.accountId, 12) || undefined,
    }))
}
