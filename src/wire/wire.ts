/** The entry point of the wire layer: bytes to typed calls and back, for every protocol AWS speaks. */
import { fromCbor, parseCbor, printCbor, toCbor } from './cbor.ts'
import { validateInput } from './constraints.ts'
import { contentTypes, XML_DECLARATION } from './content.ts'
import { type Detected, isFormPost, NO_VERSION, unknownOperation } from './detect.ts'
import { inflate } from './gzip.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { fromJson, parseJson, toJson } from './json.ts'
import { type CutJson, cutLongStrings } from './json-blobs.ts'
import { type FormTree, formTree, fromQuery } from './query.ts'
import { restInput, restOutput } from './rest.ts'
import { checkDocument, hostId, s3Answer, validateS3Input, withHoistedHeaders } from './s3.ts'
import { parseText } from './serialization.ts'
import type { ServiceModel } from './service.ts'
import type { OperationShape } from './shape.ts'
import { inTurns, SLICE_BYTES } from './sigv4/steps.ts'
import { xmlMembers } from './xml.ts'

export { chargedBytes, checkSize, type Detected, detect } from './detect.ts'
export { encodeFault } from './fault-answer.ts'
export { redact } from './redact.ts'
export { loadService, type ServiceModel } from './service.ts'
export type { OperationShape } from './shape.ts'

const AWS_JSON = { jsonName: false }

export interface Decoded {
  readonly operation: OperationShape
  readonly input: object
}

/**
 * Like {@link decode}. Large JSON bodies, such as uploads of functions, are decoded in slices: the event loop answers other
 * requests in between.
 */
export async function decodeInTurns(detected: Detected, model: ServiceModel, request: HttpRequest): Promise<Decoded> {
  if (request.body.length <= SLICE_BYTES || !isJsonDocument(detected, model)) return decode(detected, model, request)
  const { rest, strings } = await inTurns(cutLongStrings(request.body))
  return decode(detected, model, { ...request, body: rest }, strings)
}

/** Whether the whole body is one JSON text: not compressed, and not the payload of an invocation. */
function isJsonDocument({ protocol, operation = '', service }: Detected, model: ServiceModel): boolean {
  if (service.compressed?.includes(operation)) return false
  if (protocol === 'json10' || protocol === 'json11') return true
  const input = model.operations.get(operation)?.input
  return protocol === 'restjson' && input?.kind === 'struct' && !input.members.some(({ traits }) => traits.httpPayload)
}

/** The typed input. The caller has verified the signature over the raw bytes: only now are they inflated and read. */
export function decode(
  detected: Detected,
  model: ServiceModel,
  request: HttpRequest,
  strings?: CutJson['strings'],
): Decoded {
  const { protocol, match, service } = detected
  const named = detected.operation ?? `${request.method} ${request.path}`
  const operation = model.operations.get(named)
  if (!operation)
    throw unknownOperation(named, protocol === 'query' || protocol === 'ec2' ? (model.row.apiVersion ?? '') : undefined)
  const { input } = operation
  const body = service.compressed?.includes(named) ? inflate(request) : request.body
  if (protocol === 'query' || protocol === 'ec2') {
    const tree = formTree(isFormPost(request) && body.length > 0 ? parseText(body) : request.query)
    checkSame(detected, tree)
    const read = input.kind === 'unit' ? {} : fromQuery(input, tree, { ec2: protocol === 'ec2' })
    return { operation, input: read as object }
  }
  if (input.kind === 'unit') return { operation, input: {} }

  switch (protocol) {
    case 'json10':
    case 'json11':
      return {
        operation,
        input: body.length === 0 ? {} : (fromJson(input, parseJson(body), { ...AWS_JSON, strings }) as object),
      }
    case 'cbor':
      return { operation, input: body.length === 0 ? {} : (fromCbor(input, parseCbor(body)) as object) }
    case 'restjson':
    case 'restxml':
      if (detected.service.id === 's3') return { operation, input: s3Input(detected, request) }
      return { operation, input: restInput(match!, request, body, protocol === 'restxml', strings) }
  }
}

function s3Input({ match }: Detected, request: HttpRequest): object {
  const whole = withHoistedHeaders(request)
  return restInput(match!, whole, whole.body, true)
}

/** Throws when a body is not what its headers say of it (S3: digests, checksums, size). To be called before {@link decode}. */
export function checkBody({ service }: Detected, { name, input }: OperationShape, request: HttpRequest): void {
  if (service.id !== 's3' || input.kind === 'unit') return
  if (input.members.some(({ traits }) => traits.httpPayload))
    checkDocument(name, withHoistedHeaders(request), request.body)
}

/** The form read now must name what was detected before: a parameter may not be sent twice with two values. */
function checkSame({ operation, service }: Detected, { branches }: FormTree): void {
  const action = branches?.get('Action')?.value
  const version = branches?.get('Version')?.value
  // EC2 answers every version that it ever had, in the newest form.
  if (action === operation && (service.protocol === 'ec2' || version === service.apiVersion)) return
  throw unknownOperation(action ?? '', version ?? NO_VERSION)
}

export function validate(model: ServiceModel, operation: OperationShape, input: object): void {
  if (model.row.id === 's3') validateS3Input(model.constraints, operation, input)
  else if (operation.input.kind !== 'unit')
    validateInput(model.constraints, operation.input, input, model.row.validationCode)
}

export function encode(detected: Detected, operation: OperationShape, output: object, requestId: string): HttpResponse {
  const { protocol, service } = detected
  const shape = operation.output
  switch (protocol) {
    case 'json10':
    case 'json11':
      return {
        status: 200,
        headers: { 'x-amzn-requestid': requestId, 'content-type': contentTypes[protocol] },
        body: shape.kind === 'unit' ? '' : JSON.stringify(toJson(shape, output, AWS_JSON)),
      }
    case 'query': {
      if (detected.json) return jsonOfQuery(operation, output, requestId)
      // An empty structure still has its wrapper; no output at all has none.
      const result =
        shape.kind === 'unit' ? '' : `<${operation.name}Result>${xmlMembers(shape, output)}</${operation.name}Result>`
      const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
      return {
        status: 200,
        headers: { 'x-amzn-requestid': requestId, 'content-type': contentTypes.query },
        body: `<${operation.name}Response xmlns="${service.xmlns}">${result}${metadata}</${operation.name}Response>`,
      }
    }
    case 'ec2': {
      const result = shape.kind === 'unit' ? '<return>true</return>' : xmlMembers(shape, output)
      return {
        status: 200,
        headers: { 'x-amzn-requestid': requestId, 'content-type': contentTypes.ec2 },
        body: `${XML_DECLARATION}<${operation.name}Response xmlns="${service.xmlns}"><requestId>${requestId}</requestId>${result}</${operation.name}Response>`,
      }
    }
    case 'cbor':
      return {
        status: 200,
        headers: { 'x-amzn-requestid': requestId, 'content-type': contentTypes.cbor, 'smithy-protocol': 'rpc-v2-cbor' },
        body: shape.kind === 'unit' ? new Uint8Array() : printCbor(toCbor(shape, output)),
      }
    case 'restjson':
    case 'restxml': {
      const plain = restOutput(operation, output, protocol === 'restxml', service.xmlns)
      const answer = service.id === 's3' ? s3Answer(operation.name, output, plain, service.xmlns!) : plain
      const ids = {
        'x-amzn-requestid': requestId,
        ...(protocol === 'restxml' && { 'x-amz-request-id': requestId }),
        ...(service.id === 's3' && { 'x-amz-id-2': hostId(requestId) }),
      }
      return { ...answer, headers: { ...answer.headers, ...ids } }
    }
  }
}

/** The XML answer's structure in JSON: Kubernetes's authenticators read it. */
function jsonOfQuery({ name, output: shape }: OperationShape, output: object, requestId: string): HttpResponse {
  const result = shape.kind === 'unit' ? {} : { [`${name}Result`]: toJson(shape, output, AWS_JSON) }
  return {
    status: 200,
    headers: { 'x-amzn-requestid': requestId, 'content-type': 'application/json' },
    body: JSON.stringify({ [`${name}Response`]: { ...result, ResponseMetadata: { RequestId: requestId } } }),
  }
}
