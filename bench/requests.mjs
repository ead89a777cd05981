/** Signed requests as bytes, made by the AWS SDK's own signer. */
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'

/** A call of the Query protocol. */
export function signedRequest(server, service, version, parameters) {
  const body = new URLSearchParams({ ...parameters, Version: version }).toString()
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
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service, sha256: Sha256 })
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

/** Asks once, by the JSON 1.1 protocol, and returns the answer's members. */
export async function askOnce(server, service, target, input) {
  const [head, body] = (await signedJson(server, service, target, input)).split('\r\n\r\n')
  const lines = head.split('\r\n').slice(1)
  const headers = lines.map((line) => line.split(': ')).filter(([name]) => !['host', 'content-length'].includes(name))
  const answer = await fetch(server.url, { method: 'POST', headers, body })
  if (!answer.ok) throw new Error(`${server.name}, ${target}: ${await answer.text()}`)
  return answer.json()
}
