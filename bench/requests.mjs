/** Signed requests as bytes, made by the AWS SDK's own signer. */
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'

/** A call of the Query protocol. */
export async function signedRequest({ url, credentials }, service, version, parameters) {
  const { host, hostname, port } = new URL(url)
  const body = new URLSearchParams({ ...parameters, Version: version }).toString()
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service, sha256: Sha256 })
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: '/',
    headers: {
      host,
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
    },
    body,
  })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return `POST / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}
