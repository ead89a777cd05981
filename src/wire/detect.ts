/** The first door: which service, protocol and operation a request speaks to. Looks only at what routing needs. */
import { Fault } from './fault.ts'
import { inflate } from './gzip.ts'
import { type HttpRequest, header } from './http.ts'
import { type FormTree, formTree } from './query.ts'
import { matchRoute, type RouteMatch } from './rest.ts'
import { bucketInHost, s3Address } from './s3.ts'
import { parseText } from './serialization.ts'
import { loadService } from './service.ts'
import {
  type Protocol,
  type ServiceRow,
  serviceByApiVersion,
  serviceByHost,
  serviceBySigningName,
  serviceByTarget,
  services,
  understands,
} from './services.ts'
import { isVersion2 } from './sigv4/version2.ts'

export interface Detected {
  readonly service: ServiceRow
  readonly protocol: Protocol
  /** As the client named it; it may not exist. */
  readonly operation: string | undefined
  readonly form?: FormTree
  readonly match?: RouteMatch
}

/** CloudWatch's largest call, inflated. The signature is not yet verified: no more work than hashing the body. */
const FORM_INFLATED_BYTES_MAX = 1024 * 1024

/** A form says its action in its body; no other body is read here. */
export async function detect(request: HttpRequest): Promise<Detected> {
  return cbor(request) ?? json(request) ?? form(request) ?? (await rest(request))
}

/** Thrown where the service is known and the operation is not. */
export function unknownOperation(name: string, version?: string): Fault {
  return new Fault(
    'UnknownOperation',
    version === undefined ? `Unknown operation ${name}` : `Could not find operation ${name} for version ${version}`,
  )
}

/** What a fault should look like when not even the service is known. */
export function guessProtocol(request: HttpRequest): Protocol {
  if (header(request, 'x-amz-target') !== undefined) return 'json11'
  return (header(request, 'content-type') ?? '').includes('form-urlencoded') ? 'query' : 'restjson'
}

function cbor(request: HttpRequest): Detected | undefined {
  if (header(request, 'smithy-protocol') !== 'rpc-v2-cbor') return undefined
  const [, target = '', operation = ''] = /^\/service\/([^/]+)\/operation\/([^/]+)$/.exec(request.path) ?? []
  const service = serviceByTarget.get(target)
  if (!service || !understands(service, 'cbor')) throw unknownOperation(operation || request.path)
  return { service, protocol: 'cbor', operation }
}

function json(request: HttpRequest): Detected | undefined {
  const target = header(request, 'x-amz-target')
  if (target === undefined) return undefined
  const dot = target.lastIndexOf('.')
  const service = serviceByTarget.get(target.slice(0, dot))
  if (!service || !understands(service, 'json11')) throw unknownOperation(target)
  const protocol = (header(request, 'content-type') ?? '').includes('json-1.0') ? 'json10' : 'json11'
  return { service, protocol, operation: target.slice(dot + 1) }
}

function form(request: HttpRequest): Detected | undefined {
  const isForm =
    request.method === 'POST' && (header(request, 'content-type') ?? '').startsWith('application/x-www-form-urlencoded')
  if (!isForm && !/(^|&)Action=/.test(request.query)) return undefined
  const tree = formTree(
    isForm && request.body.length > 0 ? parseText(inflate(request, FORM_INFLATED_BYTES_MAX)) : request.query,
  )
  const operation = tree.branches?.get('Action')?.value
  if (operation === undefined) {
    if (!isForm) return undefined
    throw new Fault('MissingAction', 'The request must contain the parameter Action.', { status: 400 })
  }
  const version = tree.branches?.get('Version')?.value ?? ''
  const service =
    serviceBySigningName.get(signingName(request) ?? '') ?? serviceByApiVersion.get(version) ?? hosted(request)
  const protocol = service?.protocol === 'ec2' ? 'ec2' : 'query'
  if (!service || !understands(service, protocol)) throw unknownOperation(operation, version)
  return { service, protocol, operation, form: tree }
}

async function rest(request: HttpRequest): Promise<Detected> {
  const scope = signingName(request)
  const named = scope === undefined ? hosted(request) : serviceBySigningName.get(scope)
  const candidates = named ? [named] : services.filter((service) => service.unsigned)
  for (const service of candidates) {
    const address = service.id === 's3' ? s3Address(request) : undefined
    const match = matchRoute((await loadService(service)).routes, request, address?.path, address?.bucket)
    if (match) return { service, protocol: service.protocol, operation: match.route.operation.name, match }
  }
  if (named && (named.protocol === 'restjson' || named.protocol === 'restxml')) {
    return { service: named, protocol: named.protocol, operation: undefined }
  }
  const unsigned = scope === undefined ? unsignedS3(request) : undefined
  if (unsigned) return unsigned
  // Without a signature nobody can tell which service is meant, and need not.
  if (scope === undefined) throw new Fault('MissingAuthenticationToken', 'Missing Authentication Token')
  throw unknownOperation(`${request.method} ${request.path}`)
}

/** A bucket's name. Paths of other services begin with a date (Lambda, Route 53), and Merlon's own with an underscore. */
const BUCKET = /^(?!\d{4}-\d\d-\d\d$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/**
 * An unsigned request that names a bucket is one for S3, as a link without its signature is: it is refused in S3's words.
 * No model is loaded: nothing is known of the caller yet.
 */
function unsignedS3(request: HttpRequest): Detected | undefined {
  const { bucket } = s3Address(request)
  if (bucket === undefined || !BUCKET.test(bucket)) return undefined
  const service = serviceBySigningName.get('s3')!
  return { service, protocol: service.protocol, operation: undefined }
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
