/** ISO 8601 basic dates, the only form that a signature covers. */
const BASIC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** `20150830T123600Z` for epoch milliseconds. */
export function basicDate(ms: number): string {
  const iso = new Date(ms).toISOString()
  return iso.slice(0, 4) + iso.slice(5, 7) + iso.slice(8, 13) + iso.slice(14, 16) + iso.slice(17, 19) + 'Z'
}

/** The last date read: under load the next request mostly carries the same. */
let last: { readonly text: string; readonly ms: number | undefined } = { text: '', ms: undefined }

/** Epoch milliseconds, or undefined when the text is no such date (30 February included). */
export function parseBasicDate(text: string): number | undefined {
  if (text !== last.text) last = { text, ms: read(text) }
  return last.ms
}

function read(text: string): number | undefined {
  const parts = BASIC.exec(text)
  if (!parts) return undefined
  const [, year, month, day, hour, minute, second] = parts.map(Number)
  const ms = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!)
  return Number.isFinite(ms) && basicDate(ms) === text ? ms : undefined
}
