/** Recorded calls out of files. */
import { type RawRecord, type RecordedCall, recordedCall } from '../../policy/account/recorded-call.ts'
import { InputError, readText } from './files.ts'

/** `lookup-events` output, a log file's `Records`, or a record a line. Throws an `InputError`. */
export function readRecords(file: string): readonly RecordedCall[] {
  return rawRecords(file, readText(file)).map((raw) => {
    if (typeof raw?.eventName !== 'string' || typeof raw.eventSource !== 'string') {
      throw new InputError(`${file}: holds something that is no CloudTrail record.`)
    }
    return recordedCall(raw)
  })
}

function rawRecords(file: string, text: string): readonly RawRecord[] {
  try {
    const whole = JSON.parse(text) as
      | RawRecord
      | readonly RawRecord[]
      | { Records?: RawRecord[]; Events?: { CloudTrailEvent?: string }[] }
    if (Array.isArray(whole)) return whole as readonly RawRecord[]
    if ('Records' in whole && whole.Records) return whole.Records
    if ('Events' in whole && whole.Events) return whole.Events.map((event) => JSON.parse(event.CloudTrailEvent ?? ''))
    return [whole as RawRecord]
  } catch {
    return lines(file, text)
  }
}

function lines(file: string, text: string): readonly RawRecord[] {
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line) as RawRecord]
    } catch (error) {
      throw new InputError(`${file}:${at + 1}: is not JSON: ${(error as Error).message}`)
    }
  })
}
