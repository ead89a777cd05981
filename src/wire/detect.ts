/** The detection stage: which service, protocol and operation a request is for. Reads only what routing needs. */
import { Fault } from './fault.ts'
import { isGzip } from './gzip.ts'
import { type HttpRequest, header } from './http.ts'
import { scanForm } from './query.ts'
import { matchRoute, type RouteMatch } from './rest.ts'
import { bucketInHost, s3Address } from './s3.ts'
import { loadService } from './service.ts'
import {
  BODY_BYTES_MAX,
  type Protocol,
  type ServiceRow,
  serviceByApiVersion,
  serviceByHost,
  serviceBySigningName,
  serviceByTarget,
  services,
  understands,
} from './services.ts'
import { normalizedPath } from './sigv4/canonical.ts'
import { isVersion2 } from './sigv4/version2.ts'
import { type UnbuiltMatch, unbuiltByPath, unbuiltByPathAlone, unbuiltServices } from './unbuilt.ts'

export interface Detected {
  readonly service: ServiceRow
  readonly protocol: Protocol
  /** As the client named it; it may not exist. */
  readonly operation: string | undefined
  /** A query call whose caller accepts JSON. */
  readonly json?: boolean
  readonly match?: RouteMatch
}

/** Which service a request speaks to. Not authenticated yet: O(bytes) at most, and nothing is decoded or inflated. */
export async function detect(request: HttpRequest): Promise<Detected> {
  return (await cbor(request)) ?? (await json(request)) ?? (await form(request)) ?? (await rest(request))
}

/** Thrown where the service is known and the operation is not. */
export function unknownOperation(name: string, version?: string): Fault {
  return new Fault(
    'UnknownOperation',
    version === undefined ? `Unknown operation ${name}` : `Could not find operation ${name} for version ${version}`,
  )
}

/** The largest body is a limit of the service: what is above it is not even hashed. */
export function checkSize({ service }: Detected, request: HttpRequest): void {
  const max = service.bodyBytesMax ?? BODY_BYTES_MAX
  if (request.body.length <= max) return
  throw new Fault('RequestEntityTooLarge', `The request body exceeds ${max} bytes, the limit of ${service.iamPrefix}.`)
}

/** A dense tree costs as much as so many times its bytes of an object or of code, which are only hashed. */
const STRUCTURED_FACTOR = 16

/** The bytes of a body as rate limits count them: by the work that they make. */
export function chargedBytes({ service }: Detected, { body }: HttpRequest): number {
  return service.bodyBytesMax === Number.POSITIVE_INFINITY ? body.length : body.length * STRUCTURED_FACTOR
}

/** What a fault should look like when not even the service is known. */
export function guessProtocol(request: HttpRequest): Protocol {
  if (header(request, 'x-amz-target') !== undefined) return 'json11'
  return (header(request, 'content-type') ?? '').includes('form-urlencoded') ? 'query' : 'restjson'
}

/** Query calls are answered in XML, unless the caller accepts JSON. */
export function prefersJson(request: HttpRequest): boolean {
  return /(^|,)\s*application\/json\s*(;|,|$)/i.test((header(request, 'accept') ?? '').slice(0, ACCEPT_CHARS_MAX))
}

const ACCEPT_CHARS_MAX = 256

async function cbor(request: HttpRequest): Promise<Detected | undefined> {
  if (header(request, 'smithy-protocol') !== 'rpc-v2-cbor') return undefined
  const [, target = '', operation = ''] = /^\/service\/([^/]+)\/operation\/([^/]+)$/.exec(request.path) ?? []
  const service = serviceByTarget.get(target) ?? (await unbuiltByTarget(target, request))
  if (service?.unbuilt) return { service, protocol: 'cbor', operation }
  if (!service || !understands(service, 'cbor')) throw unknownOperation(operation || request.path)
  return { service, protocol: 'cbor', operation }
}

async function json(request: HttpRequest): Promise<Detected | undefined> {
  const target = header(request, 'x-amz-target')
  if (target === undefined) return undefined
  const dot = target.lastIndexOf('.')
  const prefix = target.slice(0, Math.max(0, dot))
  const service = serviceByTarget.get(prefix) ?? (await unbuiltByTarget(prefix, request))
  const protocol = (header(request, 'content-type') ?? '').includes('json-1.0') ? 'json10' : 'json11'
  const operation = target.slice(dot + 1)
  if (service?.unbuilt) return { service, protocol, operation }
  if (!service || !understands(service, 'json11')) throw unknownOperation(target)
  return { service, protocol, operation }
}

async function form(request: HttpRequest): Promise<Detected | undefined> {
  const isForm = isFormPost(request)
  if (!isForm && !/(^|&)Action=/.test(request.query)) return undefined
  const hidden = isForm && isGzip(request) ? compressedOperation(request) : undefined
  if (hidden) return hidden
  const source = isForm && request.body.length > 0 ? request.body : request.query
  const operation = scanForm(source, 'Action')
  if (operation === undefined) {
    if (!isForm) return undefined
    throw new Fault('MissingAction', 'The request must contain the parameter Action.', { status: 400 })
  }
  const version = scanForm(source, 'Version')
  const service = await serviceOfForm(request, version)
  if (service?.unbuilt) return { service, protocol: 'query', operation }
  const protocol = service?.protocol === 'ec2' ? 'ec2' : 'query'
  if (!service || !understands(service, protocol)) throw unknownOperation(operation, version ?? NO_VERSION)
  return { service, protocol, operation, json: protocol === 'query' && prefersJson(request) }
}

/** Whether a request carries its form in the body, and not in the query. */
export const isFormPost = (request: HttpRequest): boolean =>
  request.method === 'POST' && (header(request, 'content-type') ?? '').startsWith('application/x-www-form-urlencoded')

/** AWS's text for a call without a version. */
export const NO_VERSION = 'NO_VERSION_SPECIFIED'

/** A compressed form hides its Action: the model of the service says which operation may be compressed. */
function compressedOperation(request: HttpRequest): Detected | undefined {
  const service = serviceBySigningName.get(signingName(request) ?? '') ?? hosted(request)
  const [operation] = service?.compressed ?? []
  return service && operation ? { service, protocol: 'query', operation } : undefined
}

/** By the credential scope and the version, by the version alone, or by the host. */
async function serviceOfForm(request: HttpRequest, version: string | undefined): Promise<ServiceRow | undefined> {
  const scope = signingName(request)
  const named = serviceBySigningName.get(scope ?? '')
  if (named && (version === undefined || version === named.apiVersion)) return named
  const unbuilt = await unbuiltServices()
  const sameVersion = ({ apiVersion }: ServiceRow) => apiVersion === version
  const signed = unbuilt.bySigningName.get(scope ?? '') ?? []
  // One signing name may have two services, as classic and application load balancers do.
  const other = signed.find(sameVersion) ?? (named ? undefined : signed[0])
  if (named || other) return other ?? named
  return (
    serviceByApiVersion.get(version ?? '') ??
    unbuilt.byApiVersion.get(version ?? '')?.[0] ??
    hosted(request) ??
    (await unbuiltHosted(request))[0]
  )
}

async function unbuiltByTarget(target: string, request: HttpRequest): Promise<ServiceRow | undefined> {
  const { byTarget, bySigningName } = await unbuiltServices()
  return byTarget.get(target) ?? bySigningName.get(signingName(request) ?? '')?.[0]
}

async function rest(request: HttpRequest): Promise<Detected> {
  const scope = signingName(request)
  const named = scope === undefined ? hosted(request) : serviceBySigningName.get(scope)
  const candidates = named ? [named] : services.filter((service) => service.unsigned)
  if (!isS3Control(request, named)) {
    for (const service of candidates) {
      const address = service.id === 's3' ? s3Address(request) : undefined
      // S3 signs the path as it is sent; every other service signs, and routes, the normalized one.
      const path = address?.path ?? normalizedPath(request.path)
      const match = matchRoute((await loadService(service)).routes, request, path, address?.bucket)
      if (match) return { service, protocol: service.protocol, operation: match.route.operation.name, match }
    }
  }
  const unbuilt = await unbuiltRest(request, scope, named)
  if (unbuilt) return { ...unbuilt, protocol: unbuilt.service.protocol }
  if (named && (named.protocol === 'restjson' || named.protocol === 'restxml')) {
    return { service: named, protocol: named.protocol, operation: undefined }
  }
  const unsigned = scope === undefined ? unsignedS3(request) : undefined
  if (unsigned) return unsigned
  // Without a signature nothing says which service is meant.
  if (scope === undefined) throw new Fault('MissingAuthenticationToken', 'Missing Authentication Token')
  throw unknownOperation(`${request.method} ${request.path}`)
}

/** A bucket's name. Paths of other services begin with a date (Lambda, Route 53), and Merlon's own with an underscore. */
const BUCKET = /^(?!\d{4}-\d\d-\d\d$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/**
 * An unsigned request that names a bucket is one for S3, like a link without its signature: it gets S3's error. No
 * model is loaded: nothing is known of the caller yet.
 */
function unsignedS3(request: HttpRequest): Detected | undefined {
  const { bucket } = s3Address(request)
  if (bucket === undefined || !BUCKET.test(bucket)) return undefined
  const service = serviceBySigningName.get('s3')!
  return { service, protocol: service.protocol, operation: undefined }
}

/** S3 Control signs as S3 does. Its paths begin with its version, and it always sends the account. */
const isS3Control = (request: HttpRequest, named: ServiceRow | undefined): boolean =>
  named?.id === 's3' &&
  request.path.startsWith('/v20180820/') &&
  (header(request, 'x-amz-account-id') !== undefined || (header(request, 'host') ?? '').includes('s3-control'))

async function unbuiltRest(
  request: HttpRequest,
  scope: string | undefined,
  named: ServiceRow | undefined,
): Promise<UnbuiltMatch | undefined> {
  const path = normalizedPath(request.path)
  if (isS3Control(request, named) || (!named && scope !== undefined)) {
    const { bySigningName } = await unbuiltServices()
    return unbuiltByPath(bySigningName.get(scope ?? 's3') ?? [], request, path)
  }
  if (named) return undefined
  const byHost = await unbuiltByPath(await unbuiltHosted(request), request, path)
  if (byHost) return byHost
  const isBearer = (header(request, 'authorization') ?? '').startsWith('Bearer ')
  return isBearer || VERSIONED_PATH.test(path) ? unbuiltByPathAlone(request, path) : undefined
}

/** `/2020-05-31/…` and `/v1/…`: what else is not signed is taken for the name of a bucket. */
const VERSIONED_PATH = /^\/(?:\d{4}-\d{2}-\d{2}|v\d{1,8})\//

/** Endpoint prefixes have up to three labels: `data.jobs.iot`. */
async function unbuiltHosted(request: HttpRequest): Promise<readonly ServiceRow[]> {
  const { byHost } = await unbuiltServices()
  const labels = (header(request, 'host') ?? '').split('.', 3)
  for (let length = labels.length; length > 0; length--) {
    const found = byHost.get(labels.slice(0, length).join('.'))
    if (found) return found
  }
  return []
}

/** The service that a host name speaks of, for requests without a signature. */
function hosted(request: HttpRequest): ServiceRow | undefined {
  const label = bucketInHost(request) === undefined ? (header(request, 'host') ?? '').split('.', 1)[0]! : 's3'
  return serviceByHost.get(label)
}

/** The service in the credential scope, of the header or the query. Nothing is verified here. */
function signingName(request: HttpRequest): string | undefined {
  const authorization = header(request, 'authorization')
  if (isVersion2(request)) return 's3'
  if (authorization !== undefined) {
    const [, hmac, ecdsa] =
      /Credential=[^/,\s]+\/\d+\/(?:[^/,\s]*\/([^/,\s]+)|([^/,\s]+))\/aws4_request/.exec(authorization) ?? []
    return hmac ?? ecdsa
  }
  const [, encoded] = /(?:^|&)X-Amz-Credential=([^&]+)/i.exec(request.query) ?? []
  if (encoded === undefined) return undefined
  const parts = encoded.replaceAll('%2F', '/').replaceAll('%2f', '/').split('/')
  return parts.at(-2)
}
