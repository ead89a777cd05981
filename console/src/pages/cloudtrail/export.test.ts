import { expect, test } from 'vitest'
import type { AuditEvent } from '../../access/event.ts'
import { csvOf } from './csv.ts'
import { timeLineOf } from './time-line.ts'

const event = (eventTime: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  eventID: eventTime,
  eventTime,
  eventSource: 'kms.amazonaws.com',
  eventName: 'CreateKey',
  awsRegion: 'us-east-1',
  ...more,
})

test('CSV quotes what needs it, and leaves no formula for a spreadsheet', () => {
  const [header, row, end] = csvOf([
    event('2026-01-01T00:00:00Z', { errorMessage: 'a "quoted", text', userAgent: '=HYPERLINK("x")' }),
  ]).split('\r\n')
  expect(header).toMatch(/^eventTime,eventName/)
  expect(row).toContain('"a ""quoted"", text"')
  expect(row).toContain(`"'=HYPERLINK(""x"")"`)
  expect(end).toBe('')
})

test('every event is in one bar of the time line', () => {
  const bars = timeLineOf([
    event('2026-01-01T00:00:00Z'),
    event('2026-01-01T00:30:00Z', { errorCode: 'AccessDenied' }),
    event('2026-01-02T00:00:00Z'),
  ])
  expect(bars.length).toBeLessThanOrEqual(40)
  expect(bars.reduce((sum, { allowed }) => sum + allowed, 0)).toBe(2)
  expect(bars.reduce((sum, { denied }) => sum + denied, 0)).toBe(1)
  expect(timeLineOf([event('2026-01-01T00:00:00Z')])).toHaveLength(1)
})
