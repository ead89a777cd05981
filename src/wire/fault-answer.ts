/** The one mouth of errors: a fault in its protocol's own form. */
import { printCbor } from './cbor.ts'
import { contentTypes, XML_DECLARATION } from './content.ts'
import { type Detected, guessProtocol, prefersJson } from './detect.ts'
import type { Fault } from './fault.ts'
import { familyOf, spellingOf } from './faults.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { toJson } from './json.ts'
import { toHeader } from './rest.ts'
import { hostId, s3FaultDocument, safeHeaders } from './s3.ts'
import type { ServiceModel } from './service.ts'
import type { Protocol } from './services.ts'
import type { Shape } from './shape.ts'
import { escapeXml, xmlMembers } from './xml.ts'

/**
 * `model` gives modelled errors their code, status and members; codes that no model lists are spelled as the protocol
 * spells them. Without `detected` the answer follows what the request looks like.
 */
export function encodeFault(
  request: HttpRequest,
  detected: Detected | undefined,
  model: ServiceModel | undefined,
  fault: Fault,
  requestId: string,
): HttpResponse {
  const protocol = detected?.protocol ?? guessProtocol(request)
  const answer = print(protocol, detected, model, fault)
  const headers: Record<string, string> = {
    'x-amzn-requestid': requestId,
    'content-type': contentTypes[protocol],
    ...retryHints(fault.details.retryAfterMs),
    ...fault.details.headers,
    ...(detected?.service.id === 's3' && safeHeaders()),
  }
  const { status } = answer
  switch (protocol) {
    case 'query':
      if (prefersJson(request)) {
        headers['content-type'] = 'application/json'
        return { status, headers, body: queryFaultAsJson(answer, requestId) }
      }
      return { status, headers, body: queryFault(answer, detected, requestId) }
    case 'restxml':
      headers['x-amz-request-id'] = requestId
      if (detected?.service.id === 's3') headers['x-amz-id-2'] = hostId(requestId)
      return {
        status,
        headers,
        // Where no body may be, none is: clients then read the status.
        body:
          request.method === 'HEAD' || status === 304
            ? ''
            : detected?.service.id === 's3'
              ? s3FaultDocument(answer, requestId)
              : queryFault(answer, detected, requestId),
      }
    case 'ec2':
      return { status, headers, body: ec2Fault(answer, requestId) }
    case 'restjson':
      headers['x-amzn-errortype'] = answer.code
      Object.assign(headers, headerMembers(answer))
      return { status, headers, body: JSON.stringify(jsonMembers(answer, true)) }
    case 'json10':
    case 'json11':
    case 'cbor': {
      const wireCode = answer.shape?.traits.awsQueryError?.[0]
      // Clients of a service that once spoke awsQuery know its errors by their old codes.
      if (wireCode && detected?.service.also.includes('query'))
        headers['x-amzn-query-error'] = `${wireCode};${answer.sender ? 'Sender' : 'Receiver'}`
      const body = { ...jsonMembers(answer, false), __type: answer.code }
      if (protocol !== 'cbor') return { status, headers, body: JSON.stringify(body) }
      headers['smithy-protocol'] = 'rpc-v2-cbor'
      return { status, headers, body: printCbor(body) }
    }
  }
}

/** Milliseconds as AWS's clients read them, before the whole seconds of RFC 9110 §10.2.3: the first one found counts. */
export const retryHints = (retryAfterMs: number | undefined): Readonly<Record<string, string>> =>
  retryAfterMs === undefined
    ? {}
    : {
        'x-amz-retry-after': String(Math.ceil(retryAfterMs)),
        'retry-after': String(Math.ceil(retryAfterMs / 1000)),
      }

interface PrintedFault {
  readonly code: string
  readonly message: string
  readonly status: number
  readonly sender: boolean
  readonly shape: Shape | undefined
  readonly members: Readonly<Record<string, unknown>>
}

function print(
  protocol: Protocol,
  detected: Detected | undefined,
  model: ServiceModel | undefined,
  fault: Fault,
): PrintedFault {
  const modelled = model?.errors.get(fault.code)
  const spelled = modelled
    ? undefined
    : spellingOf(fault.code, familyOf(protocol, detected?.service), detected?.service)
  // A common error may have a shape too, whose member carries the message.
  const shape = modelled ?? (spelled && model?.errors.get(spelled[0]))
  const status = modelled ? modelledStatus(modelled, protocol, fault) : (spelled?.[1] ?? fault.details.status ?? 400)
  return {
    code: modelled ? modelledCode(modelled, protocol, fault) : (spelled?.[0] ?? fault.code),
    message: fault.message,
    status,
    sender: status < 500,
    shape,
    members: fault.details.members ?? {},
  }
}

/** awsJson answers 400 and 500 only, whatever the model's HTTP status says. */
function modelledStatus(shape: Shape, protocol: Protocol, fault: Fault): number {
  const { awsQueryError, httpError, error } = shape.traits
  const plain = error === 'server' ? 500 : 400
  if (protocol === 'query' || protocol === 'ec2')
    return awsQueryError?.[1] ?? httpError ?? fault.details.status ?? plain
  if (protocol === 'restjson' || protocol === 'restxml') return httpError ?? fault.details.status ?? plain
  return plain
}

function modelledCode(shape: Shape, protocol: Protocol, fault: Fault): string {
  const speaksCodes = protocol === 'query' || protocol === 'ec2' || protocol === 'restxml'
  return speaksCodes ? (shape.traits.awsQueryError?.[0] ?? fault.code) : fault.code
}

function queryFault(fault: PrintedFault, detected: Detected | undefined, requestId: string): string {
  const xmlns = detected?.service.xmlns
  const type = fault.sender ? 'Sender' : 'Receiver'
  const error = `<Error><Type>${type}</Type>${codeAndMessage(fault)}${memberElements(fault)}</Error>`
  return `<ErrorResponse${xmlns ? ` xmlns="${xmlns}"` : ''}>${error}<RequestId>${requestId}</RequestId></ErrorResponse>`
}

function queryFaultAsJson({ code, message, sender, shape, members }: PrintedFault, requestId: string): string {
  const others = shape ? (toJson(shape, members, { jsonName: false }) as object) : {}
  const error = { ...others, Code: code, Message: message, Type: sender ? 'Sender' : 'Receiver' }
  return JSON.stringify({ Error: error, RequestId: requestId })
}

function ec2Fault(fault: PrintedFault, requestId: string): string {
  const errors = `<Errors><Error>${codeAndMessage(fault)}</Error></Errors>`
  return `${XML_DECLARATION}<Response>${errors}<RequestID>${requestId}</RequestID></Response>`
}

function codeAndMessage({ code, message }: PrintedFault): string {
  return `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message>`
}

function memberElements({ shape, members }: PrintedFault): string {
  const { message: _m, Message: _M, ...others } = members
  return shape ? xmlMembers(shape, others) : ''
}

/** The message goes by the name the shape gives it. A modeled error without a sentence has no such member. */
function jsonMembers({ shape, members, message }: PrintedFault, jsonName: boolean): Record<string, unknown> {
  const printed = shape ? (toJson(shape, members, { jsonName }) as Record<string, unknown>) : {}
  if (shape && message === '') return printed
  const name = shape?.members.some((member) => member.name === 'Message' && !member.traits.jsonName)
    ? 'Message'
    : 'message'
  return { ...printed, [name]: message }
}

/** Members of a REST error that travel in headers, as `Retry-After` does. */
function headerMembers({ shape, members }: PrintedFault): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const { name, traits, shape: inner } of shape?.members ?? []) {
    const value = members[name]
    if (traits.httpHeader && value !== undefined) headers[traits.httpHeader.toLowerCase()] = toHeader(inner, value)
  }
  return headers
}
