/**
 * OTLP over HTTP in JSON: one log record for each event.
 * Source: https://opentelemetry.io/docs/specs/otlp/ and https://opentelemetry.io/docs/specs/otel/logs/data-model/
 */
import { post, withoutUser } from './http.ts'
import type { Line, Sink } from './sink.ts'

/** SeverityNumber of the data model. */
const INFO = 9
const WARN = 13

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
const nanoseconds = (ms: number) => `${ms}000000`

const recordOf = ({ timeMs, name, refused, body, position }: Line) => ({
  timeUnixNano: nanoseconds(timeMs),
  observedTimeUnixNano: nanoseconds(timeMs),
  severityNumber: refused ? WARN : INFO,
  severityText: refused ? 'WARN' : 'INFO',
  eventName: name,
  body: { stringValue: body },
  attributes: [text('event.name', name), text('merlon.position', position)],
})

export function otlpSink(target: URL, version: string, onRejected: (message: string) => void): Sink {
  const { url, headers } = withoutUser(target)
  const resource = { attributes: [text('service.name', 'merlon'), text('service.version', version)] }
  return {
    send: async (lines, signal) => {
      const scope = { name: 'merlon.audit', version }
      const body = JSON.stringify({
        resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: lines.map(recordOf) }] }],
      })
      const answer = await post({ url, headers: { ...headers, 'content-type': 'application/json' }, body }, signal)
      const result = (await answer.json().catch(() => ({}))) as ExportResult
      // What a collector rejects for good must not be sent again: so the protocol.
      const { rejectedLogRecords = 0, errorMessage = '' } = result.partialSuccess ?? {}
      if (Number(rejectedLogRecords) > 0)
        onRejected(`the collector rejected ${rejectedLogRecords} records: ${errorMessage}`)
    },
    close: async () => undefined,
  }
}

interface ExportResult {
  readonly partialSuccess?: { readonly rejectedLogRecords?: number | string; readonly errorMessage?: string }
}
