/** Batches as objects of JSON lines in a bucket of any S3-compatible store, signed by the usual AWS variables. */
import { sign } from '../../wire/sigv4/index.ts'
import { post } from './http.ts'
import type { Sink } from './sink.ts'

export interface BucketKeys {
  readonly accessKeyId: string
  readonly secret: string
  readonly sessionToken?: string
}

/** `s3://bucket/prefix?endpoint=https://…&region=…`; without an endpoint AWS's own. */
export function s3Sink(target: URL, keys: BucketKeys): Sink {
  const region = target.searchParams.get('region') ?? 'us-east-1'
  const bucket = target.hostname
  const given = target.searchParams.get('endpoint')
  const endpoint = new URL(given ?? `https://s3.${region}.amazonaws.com`)
  const folder = decodeURIComponent(target.pathname).replace(/^\/|\/$/g, '')
  return {
    send: async (lines, signal) => {
      const name = `${lines[0]!.position}-${lines.at(-1)!.position}.jsonl`
      const path = `/${[bucket, ...folder.split('/').filter(Boolean), name].map(encodeURIComponent).join('/')}`
      const body = Buffer.from(lines.map((line) => `${line.body}\n`).join(''))
      const request = {
        method: 'PUT',
        path,
        query: '',
        rawHeaders: ['Host', endpoint.host, 'Content-Type', 'application/x-ndjson'],
        body,
        remoteAddress: '',
        secure: endpoint.protocol === 'https:',
      }
      const { rawHeaders } = sign(request, keys, { region, service: 's3', nowMs: Date.now() })
      const headers: Record<string, string> = {}
      for (let i = 0; i < rawHeaders.length; i += 2)
        if (rawHeaders[i]!.toLowerCase() !== 'host') headers[rawHeaders[i]!] = rawHeaders[i + 1]!
      const answer = await post({ url: `${endpoint.origin}${path}`, method: 'PUT', headers, body }, signal)
      await answer.body?.cancel()
    },
    close: async () => undefined,
  }
}
