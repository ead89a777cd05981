/** The room's front: bytes to typed calls and back, for every protocol AWS speaks. */
import { fromCbor, parseCbor, printCbor, toCbor } from './cbor.ts'
import { validateInput } from './constraints.ts'
import { type Detected, guessProtocol, unknownOperation } from './detect.ts'
import type { Fault } from './fault.ts'
import { familyOf, spellingOf } from './faults.ts'
import { inflate } from './gzip.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { fromJson, parseJson, toJson } from './json.ts'
import { formTree, fromQuery } from './query.ts'
import { restInput, restOutput } from './rest.ts'
import type { ServiceModel } from './service.ts'
import type { Protocol } from './services.ts'
import type { OperationShape, Shape } from './shape.ts'
import { escapeXml, xmlMembers } from './xml.ts'

export { type Detected, detect } from './detect.ts'
export { redact } from './redact.ts'
export { loadService, type ServiceModel } from './service.ts'
export type { OperationShape } from './shape.ts'

const AWS_JSON = { jsonName: false }
const REST_JSON = { jsonName: true }

export interface Decoded {
  readonly operation: OperationShape
  readonly input: object
}

/** The typed input. The caller has verified the signature over the raw bytes: only now are they inflated and read. */
export function decode(detected: Detected, model: ServiceModel, request: HttpRequest): Decoded {
  const { protocol, match } = detected
  const body = inflate(request)
  const named = detected.operation ?? `${request.method} ${request.path}`
  const operation = model.operations.get(named)
  if (!operation) throw unknownOperation(named, protocol === 'query' || protocol === 'ec2' ? (model.row.apiVersion ?? '') : undefined)
  const { input } = operation
  if (input.kind === 'unit') return { operation, input: {} }

  switch (protocol) {
    case 'json10':
    case 'json11':
      return { operation, input: body.length === 0 ? {} : (fromJson(input, parseJson(body), AWS_JSON) as object) }
    case 'query':
    case 'ec2': {
      const tree = body === request.body ? detected.form! : formTree(body.toString('utf8'))
      return { operation, input: fromQuery(input, tree, { ec2: protocol === 'ec2' }) as object }
    }
    case 'cbor':
      return { operation, input: body.length === 0 ? {} : (fromCbor(input, parseCbor(body)) as object) }
    case 'restjson':
    case 'restxml':
      return { operation, input: restInput(match!, request, body, protocol === 'restxml') }
  }
}

export function validate(model: ServiceModel, operation: OperationShape, input: object): void {
  if (operation.input.kind !== 'unit') validateInput(model.constraints, operation.input, input, model.row.validationCode)
}

export function encode(detected: Detected, operation: OperationShape, output: object, requestId: string): HttpResponse {
  const { protocol, service } = detected
  const shape = operation.output
  const headers = { 'x-amzn-requestid': requestId }
  switch (protocol) {
    case 'json10':
    case 'json11':
      return {
        status: 200,
        headers: { ...headers, 'content-type': contentTypes[protocol] },
        body: shape.kind === 'unit' ? '' : JSON.stringify(toJson(shape, output, AWS_JSON)),
      }
    case 'query': {
      // An empty structure still has its wrapper; no output at all has none.
      const result = shape.kind === 'unit' ? '' : `<${operation.name}Result>${xmlMembers(shape, output)}</${operation.name}Result>`
      const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
      return {
        status: 200,
        headers: { ...headers, 'content-type': contentTypes.query },
        body: `<${operation.name}Response xmlns="${service.xmlns}">${result}${metadata}</${operation.name}Response>`,
      }
    }
    case 'ec2': {
      const result = shape.kind === 'unit' ? '<return>true</return>' : xmlMembers(shape, output)
      return {
        status: 200,
        headers: { ...headers, 'content-type': contentTypes.ec2 },
        body: `${XML}<${operation.name}Response xmlns="${service.xmlns}"><requestId>${requestId}</requestId>${result}</${operation.name}Response>`,
      }
    }
    case 'cbor':
      return {
        status: 200,
        headers: { ...headers, 'content-type': contentTypes.cbor, 'smithy-protocol': 'rpc-v2-cbor' },
        body: shape.kind === 'unit' ? new Uint8Array() : printCbor(toCbor(shape, output)),
      }
    case 'restjson':
    case 'restxml': {
      const answer = restOutput(operation, output, protocol === 'restxml', service.xmlns)
      const ids = protocol === 'restxml' ? { ...headers, 'x-amz-request-id': requestId } : headers
      return { ...answer, headers: { ...answer.headers, ...ids } }
    }
  }
}

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n'

const contentTypes: Readonly<Record<Protocol, string>> = {
  query: 'text/xml',
  ec2: 'text/xml;charset=UTF-8',
  json10: 'application/x-amz-json-1.0',
  json11: 'application/x-amz-json-1.1',
  restjson: 'application/json',
  restxml: 'application/xml',
  cbor: 'application/cbor',
}

/** The one mouth of errors: a fault in its protocol's own form. `model` gives modelled errors their code and members. */
export function encodeFault(
  request: HttpRequest,
  detected: Detected | undefined,
  model: ServiceModel | undefined,
  fault: Fault,
  requestId: string,
): HttpResponse {
  const protocol = detected?.protocol ?? guessProtocol(request)
  const shape = model?.errors.get(fault.code)
  const spelled = shape ? undefined : spellingOf(fault.code, familyOf(protocol, detected?.service))
  const status = shape ? modelledStatus(shape, protocol, fault) : (spelled?.[1] ?? fault.details.status ?? 400)
  const told: ToldFault = {
    code: shape ? modelledCode(shape, protocol, fault) : (spelled?.[0] ?? fault.code),
    message: fault.message,
    status,
    sender: status < 500,
    shape,
    members: fault.details.members ?? {},
  }
  const headers = { 'x-amzn-requestid': requestId, 'content-type': contentTypes[protocol] }
  switch (protocol) {
    case 'query':
    case 'restxml':
      return { status, headers, body: detected?.service.id === 's3' ? s3Fault(told, requestId) : queryFault(told, detected, requestId) }
    case 'ec2':
      return {
        status,
        headers,
        body: `${XML}<Response><Errors><Error><Code>${told.code}</Code><Message>${escapeXml(told.message)}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`,
      }
    default:
      return jsonFault(told, protocol, headers, detected)
  }
}

interface ToldFault {
  readonly code: string
  readonly message: string
  readonly status: number
  readonly sender: boolean
  readonly shape: Shape | undefined
  readonly members: Readonly<Record<string, unknown>>
}

/** awsJson answers 400 and 500 only, whatever the model's HTTP status says. */
function modelledStatus(shape: Shape, protocol: Protocol, fault: Fault): number {
  const { awsQueryError, httpError, error } = shape.traits
  const plain = error === 'server' ? 500 : 400
  if (protocol === 'query' || protocol === 'ec2') return awsQueryError?.[1] ?? httpError ?? fault.details.status ?? plain
  if (protocol === 'restjson' || protocol === 'restxml') return httpError ?? fault.details.status ?? plain
  return plain
}

function modelledCode(shape: Shape, protocol: Protocol, fault: Fault): string {
  return protocol === 'query' || protocol === 'ec2' || protocol === 'restxml' ? (shape.traits.awsQueryError?.[0] ?? fault.code) : fault.code
}

function queryFault(fault: ToldFault, detected: Detected | undefined, requestId: string): string {
  const { message: _m, Message: _M, ...members } = fault.members
  const xmlns = detected?.service.xmlns
  return `<ErrorResponse${xmlns ? ` xmlns="${xmlns}"` : ''}><Error><Type>${fault.sender ? 'Sender' : 'Receiver'}</Type><Code>${escapeXml(fault.code)}</Code><Message>${escapeXml(fault.message)}</Message>${fault.shape ? xmlMembers(fault.shape, members) : ''}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`
}

function s3Fault(fault: ToldFault, requestId: string): string {
  return `${XML}<Error><Code>${escapeXml(fault.code)}</Code><Message>${escapeXml(fault.message)}</Message><RequestId>${requestId}</RequestId></Error>`
}

function jsonFault(fault: ToldFault, protocol: Protocol, headers: Record<string, string>, detected: Detected | undefined): HttpResponse {
  const { shape, status } = fault
  const rest = protocol === 'restjson'
  const messageMember = shape?.members.some((member) => member.name === 'Message' && !member.traits.jsonName) ? 'Message' : 'message'
  const told = shape ? (toJson(shape, fault.members, rest ? REST_JSON : AWS_JSON) as object) : {}
  const body: Record<string, unknown> = { ...told, [messageMember]: fault.message }
  const wireCode = shape?.traits.awsQueryError?.[0]
  if (wireCode && (protocol === 'cbor' || detected?.service.id === 'monitoring')) {
    headers['x-amzn-query-error'] = `${wireCode};${fault.sender ? 'Sender' : 'Receiver'}`
  }
  if (rest) {
    for (const member of shape?.members ?? []) {
      const value = fault.members[member.name]
      if (member.traits.httpHeader && value !== undefined) headers[member.traits.httpHeader.toLowerCase()] = String(value)
    }
    headers['x-amzn-errortype'] = fault.code
    return { status, headers, body: JSON.stringify(body) }
  }
  body['__type'] = fault.code
  if (protocol === 'cbor') return { status, headers: { ...headers, 'smithy-protocol': 'rpc-v2-cbor' }, body: printCbor(body) }
  return { status, headers, body: JSON.stringify(body) }
}
