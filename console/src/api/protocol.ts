/** One call as an HTTP request, and its answer: for each protocol that the services speak. */
import type { OperationShape } from '../../../src/wire/shape.ts'
import { toForm } from './form.ts'
import { fromJson, toJson } from './json.ts'
import type { Model } from './model.ts'
import { type RestRequest, type RestResponse, restOutput, restRequest } from './rest.ts'
import { childOf, membersFromXml, type XmlElement, type XmlParser } from './xml.ts'

type Tree = Readonly<Record<string, unknown>>

/** Throws for an input that cannot be written. */
export function requestOf({ row }: Model, operation: OperationShape, input: object): RestRequest {
  const post = (contentType: string, body: string, headers = {}): RestRequest => ({
    method: 'POST',
    path: '/',
    query: [],
    headers: { 'content-type': contentType, ...headers },
    body,
  })
  switch (row.protocol) {
    case 'query':
    case 'ec2': {
      const members =
        operation.input.kind === 'unit' ? [] : toForm(operation.input, input, { ec2: row.protocol === 'ec2' })
      const form = new URLSearchParams([
        ['Action', operation.name],
        ['Version', row.apiVersion ?? ''],
        ...members.map(([name, value]) => [name, value]),
      ])
      return post('application/x-www-form-urlencoded; charset=utf-8', form.toString())
    }
    case 'json10':
    case 'json11': {
      const version = row.protocol === 'json10' ? '1.0' : '1.1'
      const body = operation.input.kind === 'unit' ? {} : toJson(operation.input, input, { rest: false })
      return post(`application/x-amz-json-${version}`, JSON.stringify(body), {
        'x-amz-target': `${row.targets[0]}.${operation.name}`,
      })
    }
    case 'restjson':
    case 'restxml':
      return restRequest(operation, input as Tree, row.protocol === 'restxml')
    case 'cbor':
      throw new Error('The console does not speak CBOR.')
  }
}

export function outputOf({ row }: Model, operation: OperationShape, response: RestResponse, parse: XmlParser): object {
  const { output } = operation
  switch (row.protocol) {
    case 'query':
    case 'ec2': {
      if (output.kind === 'unit' || response.body.length === 0) return {}
      const root = parse(textOf(response))
      const result = row.protocol === 'ec2' ? root : childOf(root, `${operation.name}Result`)
      return result ? membersFromXml(output, result) : {}
    }
    case 'json10':
    case 'json11':
      if (output.kind === 'unit' || response.body.length === 0) return {}
      return fromJson(output, JSON.parse(textOf(response)), { rest: false }) as object
    default:
      return restOutput(operation, response, row.protocol === 'restxml', parse)
  }
}

const textOf = ({ body }: RestResponse) => new TextDecoder().decode(body)

/** What a service answered instead of a success. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** As AWS names it: `AccessDenied`. */
  readonly code: string
  readonly status: number
  /** The id of the call's event in the audit log. */
  readonly requestId: string | undefined

  constructor(code: string, message: string, status: number, requestId?: string) {
    super(message)
    this.code = code
    this.status = status
    this.requestId = requestId
  }

  get isDenial(): boolean {
    return /^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/.test(this.code)
  }

  get isNotBuilt(): boolean {
    return this.code === 'NotImplemented'
  }
}

export function errorOf(response: RestResponse, parse: XmlParser): ApiError {
  const { status, headers } = response
  const requestId = headers.get('x-amzn-requestid') ?? headers.get('x-amz-request-id') ?? undefined
  const text = textOf(response)
  const nameOf = (code: unknown) => (typeof code === 'string' ? code.replace(/^.*#/, '').replace(/:.*$/, '') : '')
  try {
    if (text.startsWith('<')) {
      const root = parse(text)
      const errors = childOf(root, 'Errors')
      const error = childOf(errors ?? root, 'Error') ?? root
      const part = (element: XmlElement, name: string) => childOf(element, name)?.textContent ?? undefined
      const id = requestId ?? part(root, 'RequestId') ?? part(root, 'RequestID')
      return new ApiError(part(error, 'Code') ?? String(status), part(error, 'Message') ?? text, status, id)
    }
    const body = JSON.parse(text) as Record<string, unknown>
    const code = nameOf(headers.get('x-amzn-errortype') ?? body['__type'] ?? body['code'])
    const message = body['message'] ?? body['Message'] ?? ''
    return new ApiError(code || String(status), String(message), status, requestId)
  } catch {
    return new ApiError(String(status), text || `The server answered with status ${status}.`, status, requestId)
  }
}
