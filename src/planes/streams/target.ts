/** Where a stream goes, as the operator writes it. */
import { fileURLToPath } from 'node:url'
import { bucketOf } from '../../kernel/client/bucket.ts'
import { fileSink } from './file.ts'
import { otlpSink } from './otlp.ts'
import { s3Sink } from './s3.ts'
import type { Sink } from './sink.ts'
import { syslogSink } from './syslog.ts'
import { webhookSink } from './webhook.ts'

export interface Target {
  /** Without the user's name, password and query: fit for logs, and what the stream is remembered by. */
  readonly name: string
  open(tell: (message: string) => void): Sink
}

export interface TargetOptions {
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Throws with a sentence for the operator. The addresses are the operator's own: they may be private. */
export function readTarget(text: string, { version, environment }: TargetOptions): Target {
  if (!URL.canParse(text)) throw new Error(`'${text.replace(/\/\/[^@/]*@/, '//…@')}' is no target: ${FORMS}`)
  const url = new URL(text)
  const name = nameOf(url)
  switch (url.protocol) {
    case 'file:':
      return { name, open: () => fileSink(fileURLToPath(url)) }
    case 'https:':
    case 'http:':
      return { name, open: () => webhookSink(url, environment['MERLON_STREAM_KEY']) }
    case 'otlp+https:':
    case 'otlp+http:': {
      const collector = new URL(text.slice('otlp+'.length))
      return { name, open: (report) => otlpSink(collector, version, report) }
    }
    case 'syslog:':
    case 'syslog+tcp:':
    case 'syslog+tls:':
      if (!url.hostname) throw new Error(`${name} names no host`)
      return { name, open: () => syslogSink(url) }
    case 's3:': {
      const bucket = bucketOf(url, environment)
      return { name, open: () => s3Sink(bucket) }
    }
    default:
      throw new Error(`${name} is no target: ${FORMS}`)
  }
}

const FORMS = 'file:///…, https://…, otlp+https://…, syslog://…, syslog+tcp://…, syslog+tls://… or s3://…'

function nameOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`
}
