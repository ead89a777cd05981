/** The first door: which service, protocol and operation a request speaks to. Looks only at what routing needs. */
import { Fault } from './fault.ts'
import { type HttpRequest, header } from './http.ts'
import { type FormTree, formTree } from './query.ts'
import { matchRoute, type RouteMatch } from './rest.ts'
import { loadService } from './service.ts'
import {
  type Protocol, type ServiceRow, serviceByApiVersion, serviceByHost, serviceBySigningName, serviceByTarget, services,
} from './services.ts'

export interface Detected {
  readonly service: ServiceRow
  readonly protocol: Protocol
  /** As the client named it; it may not exist. */
  readonly operation: string | undefined
  readonly form?: FormTree
  readonly match?: RouteMatch
}

/** Form bodies that are not compressed say their action themselves; no other body is read here. */
export async function detect(request: HttpRequest): Promise<Detected> {
  return cbor(request) ?? json(request) ?? form(request) ?? (await rest(request))
}

/** Thrown where the service is known and the operation is not. */
export function unknownOperation(name: string, version?: string): Fault {
  return new Fault('UnknownOperation', version === undefined ? `Unknown operation ${name}` : `Could not find operation ${name} for version ${version}`)
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
  if (!service) throw unknownOperation(operation || request.path)
  return { service, protocol: 'cbor', operation }
}

function json(request: HttpRequest): Detected | undefined {
  const target = header(request, 'x-amz-target')
  if (target === undefined) return undefined
  const dot = target.lastIndexOf('.')
  const service = serviceByTarget.get(target.slice(0, dot))
  if (!service) throw unknownOperation(target)
  const protocol = (header(request, 'content-type') ?? '').includes('json-1.0') ? 'json10' : 'json11'
  return { service, protocol, operation: target.slice(dot + 1) }
}

function form(request: HttpRequest): Detected | undefined {
  const isForm = request.method === 'POST' && (header(request, 'content-type') ?? '').startsWith('application/x-www-form-urlencoded')
  if (!isForm && !/(^|&)Action=/.test(request.query)) return undefined
  const tree = formTree(isForm && request.body.length > 0 ? request.body.toString('utf8') : request.query)
  const operation = tree.branches?.get('Action')?.value
  if (operation === undefined) {
    if (!isForm) return undefined
    throw new Fault('MissingAction', 'The request must contain the parameter Action.', { status: 400 })
  }
  const version = tree.branches?.get('Version')?.value ?? ''
  const service = serviceBySigningName.get(signingName(request) ?? '') ?? serviceByApiVersion.get(version)
  if (!service) throw unknownOperation(operation, version)
  return { service, protocol: service.protocol === 'ec2' ? 'ec2' : 'query', operation, form: tree }
}

async function rest(request: HttpRequest): Promise<Detected> {
  const scope = signingName(request)
  const host = (header(request, 'host') ?? '').split('.')[0]!
  const named = scope === undefined ? serviceByHost.get(host) : serviceBySigningName.get(scope)
  const candidates = named ? [named] : services.filter((service) => service.unsigned)
  for (const service of candidates) {
    const match = matchRoute((await loadService(service)).routes, request)
    if (match) return { service, protocol: service.protocol, operation: match.route.operation.name, match }
  }
  if (named && (named.protocol === 'restjson' || named.protocol === 'restxml')) {
    return { service: named, protocol: named.protocol, operation: undefined }
  }
  throw unknownOperation(`${request.method} ${request.path}`)
}

/** The service in the credential scope, of the header or the query. Nothing is verified here. */
function signingName(request: HttpRequest): string | undefined {
  const authorization = header(request, 'authorization')
  if (authorization !== undefined) {
    const [, hmac, ecdsa] = /Credential=[^/,\s]+\/\d+\/(?:[^/,\s]*\/([^/,\s]+)|([^/,\s]+))\/aws4_request/.exec(authorization) ?? []
    return hmac ?? ecdsa
  }
  const [, encoded] = /(?:^|&)X-Amz-Credential=([^&]+)/i.exec(request.query) ?? []
  if (encoded === undefined) return undefined
  const parts = encoded.replaceAll('%2F', '/').replaceAll('%2f', '/').split('/')
  return parts.at(-2)
}
