/** Signed requests as bytes, made by the AWS SDK's own signer. */
import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'

const VERSIONS = { ec2: '2016-11-15', iam: '2010-05-08', sts: '2011-06-15' }
const REGION = 'us-east-1'

/** SHA-256 and its HMAC in the shape the signer requires: its own, in plain JavaScript, takes ten times as long. */
class Sha256 {
  #hash
  constructor(secret) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  }
  update(data) {
    this.#hash.update(data)
  }
  async digest() {
    return this.#hash.digest()
  }
}

/** A call of the Query protocol; it names its action. */
export function signedQuery(server, service, parameters) {
  const body = new URLSearchParams({ ...parameters, Version: VERSIONS[service] }).toString()
  return signed(server, service, { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }, body)
}

/** A call of the JSON 1.1 protocol; `target` is `TrentService.Encrypt` and its like. */
export function signedJson(server, service, target, input) {
  return signed(
    server,
    service,
    { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    JSON.stringify(input),
  )
}

async function signed({ url, credentials }, service, more, body) {
  const { host, hostname, port } = new URL(url)
  const signer = new SignatureV4({ credentials, region: REGION, service, sha256: Sha256 })
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: '/',
    headers: {
      host,
      ...more,
      'content-length': String(Buffer.byteLength(body)),
    },
    body,
  })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return `POST / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

/** A request's parts, as `fetch` wants them. */
export function headersOf(request) {
  const [head, body] = request.split('\r\n\r\n')
  const lines = head.split('\r\n').slice(1)
  const headers = lines.map((line) => line.split(': ')).filter(([name]) => !['host', 'content-length'].includes(name))
  return { headers, body }
}

/** Sends one request and returns the response's text. */
export async function responseText(server, request) {
  const { headers, body } = headersOf(request)
  const answer = await fetch(server.url, { method: 'POST', headers, body })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${server.name}: ${text}`)
  return text
}

/** Sends one request by the JSON 1.1 protocol, and returns the response's members. */
export async function callOnce(server, service, target, input) {
  return JSON.parse(await responseText(server, await signedJson(server, service, target, input)))
}

/** Sends one request by the Query protocol, and returns the response's text. */
export async function queryOnce(server, service, parameters) {
  return responseText(server, await signedQuery(server, service, parameters))
}
