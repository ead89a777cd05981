/**
 * The formats of lists of addresses and domains. Each is read line by line, in time that grows with the length of the file.
 * Source: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_upload-lists.html
 *
 * @example
 * for (const entry of entriesOf('TXT', '192.0.2.0/24\n')) …   // '192.0.2.0/24'
 */

import { isIP } from 'node:net'
import type { IpSetFormat } from '@aws-sdk/client-guardduty'

/** Beyond this a line is none of any format. */
const LINE_MAX = 10_000

/** What the file has at the places where entries are, whether or not they are valid. */
export function* entriesOf(format: IpSetFormat, text: string): Generator<string> {
  if (format === 'STIX') {
    yield* stix(text)
    return
  }
  const columnsOf = COLUMNS[format]
  let columns: readonly number[] | undefined
  for (const line of linesOf(text)) {
    if (format === 'ALIEN_VAULT') {
      if (!line.startsWith('#')) yield line.split('#', 1)[0]!.trim()
    } else if (!columnsOf) {
      if (!line.startsWith('#')) yield line
    } else if (!columns) {
      columns = columnsOf(fieldsOf(line).map((name) => name.toLowerCase()))
    } else {
      const fields = fieldsOf(line)
      for (const column of columns) if (fields[column]) yield fields[column]
    }
  }
}

/** By the header: which columns have entries. */
const COLUMNS: Readonly<Partial<Record<IpSetFormat, (header: readonly string[]) => readonly number[]>>> = {
  OTX_CSV: (header) => [Math.max(header.indexOf('indicator'), 0)],
  PROOF_POINT: () => [0],
  FIRE_EYE: (header) =>
    header.flatMap((name, index) => (['ip', 'cidr', 'domain', 'fqdn', 'ipaddress'].includes(name) ? [index] : [])),
}

function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const found = text.indexOf('\n', from)
    const end = found < 0 ? text.length : found
    const line = end - from > LINE_MAX ? '' : text.slice(from, end).trim()
    from = end + 1
    if (line !== '') yield line
  }
}

/** RFC 4180, in one line. */
function fieldsOf(line: string): readonly string[] {
  const fields: string[] = []
  let field = ''
  let isQuoted = false
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!
    if (char === '"') {
      if (isQuoted && line[at + 1] === '"') field += line[++at]
      else isQuoted = !isQuoted
    } else if (char === ',' && !isQuoted) {
      fields.push(field.trim())
      field = ''
    } else field += char
  }
  return [...fields, field.trim()]
}

/** Only what is near is looked at: a file may have millions of beginnings without an end. */
const STIX_VALUE_MAX = 330
const STIX_VALUE = /^:value[^']{0,20}'([^']{1,300})'/

/** STIX 1 is XML with elements of values, STIX 2 is JSON with patterns: `[ipv4-addr:value = '192.0.2.1']`. */
function* stix(text: string): Generator<string> {
  if (text.trimStart().startsWith('{')) {
    for (let at = text.indexOf(':value'); at >= 0; at = text.indexOf(':value', at + 1)) {
      const value = STIX_VALUE.exec(text.slice(at, at + STIX_VALUE_MAX))?.[1]
      if (value !== undefined) yield value.replace(/\\$/, '')
    }
    return
  }
  for (let at = text.indexOf('Value'); at >= 0; at = text.indexOf('Value', at + 1)) {
    const opened = text.indexOf('>', at)
    const end = text.indexOf('<', opened)
    if (opened < 0 || end < 0) return
    // Several values stand in one element, between separators.
    if (end - opened < LINE_MAX)
      for (const value of text.slice(opened + 1, end).split('##comma##')) if (value.trim() !== '') yield value.trim()
    at = end
  }
}

/** The entry as it is kept: an address, a network, or a domain in lower case. undefined for anything else. */
export function readEntry(entry: string, withDomains: boolean): string | undefined {
  const slash = entry.indexOf('/')
  const address = slash < 0 ? entry : entry.slice(0, slash)
  const version = isIP(address)
  if (version > 0) {
    if (slash < 0) return entry.toLowerCase()
    const bits = entry.slice(slash + 1)
    return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128) ? entry.toLowerCase() : undefined
  }
  if (!withDomains) return undefined
  const name = entry.toLowerCase().replace(/\.$/, '').replace(/^\*\./, '')
  const labels = name.split('.')
  const isDomain = name.length <= 253 && labels.length > 1 && labels.every(isLabel) && !/^\d+$/.test(labels.at(-1)!)
  return isDomain ? name : undefined
}

const isLabel = (label: string): boolean => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)
