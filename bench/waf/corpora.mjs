/**
 * Readers of public corpora of web attacks. Each gives requests as they are on the wire, as bytes in Latin-1 strings, and whether
 * they are attacks. The corpora are the checkouts of their projects; nothing of them is kept here.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { parseDocument } from 'yaml'

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'
const HOST = 'shop.example'
/** Neither the name of a parameter nor that of a cookie is evidence. */
const NAME = 'param7c1'

/** Errors are passed over: some of the corpora have invalid escapes. */
const yaml = (file) => parseDocument(readFileSync(file, 'utf8')).toJS() ?? {}

const latin1 = (text) => Buffer.from(text, 'utf8').toString('latin1')

function filesBelow(folder, extension) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** With the headers of a browser where the corpus gives no others. */
function request({ method = 'GET', target = '/', headers = [], body = '' }) {
  const has = (name) => headers.some(([each]) => each.toLowerCase() === name)
  const all = [
    ...(has('host') ? [] : [['Host', HOST]]),
    ...(has('user-agent') ? [] : [['User-Agent', AGENT]]),
    ...(has('accept') ? [] : [['Accept', '*/*']]),
    ...headers.map(([name, value]) => [name, latin1(String(value))]),
  ]
  return { method, target: latin1(target), headers: all, body: latin1(body) }
}

/** What clients percent-encode of a target, because it is not allowed there. */
const encodedTarget = (text) =>
  encodeURI(text)
    .replace(/%25([0-9a-f]{2})/gi, '%$1')
    .replaceAll('#', '%23')

const FORM = ['Content-Type', 'application/x-www-form-urlencoded']

// gotestwaf

const jsEscaped = (text) =>
  [...Buffer.from(text, 'utf16le').swap16().toString('hex').matchAll(/.{4}/g)].map(([unit]) => `\\u${unit}`).join('')
const xmlEscaped = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
const ENCODERS = {
  Plain: (text) => text,
  // As Go's url.PathEscape.
  URL: (text) => encodeURIComponent(text).replace(/%(?:24|26|2B|3A|3D|40)/g, (each) => decodeURIComponent(each)),
  Base64: (text) => Buffer.from(text).toString('base64'),
  Base64Flat: (text) => Buffer.from(text).toString('base64').replaceAll('=', ''),
  JSUnicode: jsEscaped,
  XMLEntity: xmlEscaped,
}
const SOAP = (text) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><getItems><filter><${NAME}>${text}</${NAME}></filter></getItems></soapenv:Body></soapenv:Envelope>`

const PLACEHOLDERS = {
  URLParam: (text) => ({ target: `/?${NAME}=${encodedTarget(text)}` }),
  URLPath: (text) => ({ target: `/${encodedTarget(text)}` }),
  Header: (text) => ({ headers: [['X-Test', text.replace(/[\r\n]/g, ' ')]] }),
  UserAgent: (text) => ({ headers: [['User-Agent', text]] }),
  HTMLForm: (text) => ({ method: 'POST', headers: [FORM], body: `${NAME}=${text}` }),
  HTMLMultipartForm: (text) => ({
    method: 'POST',
    headers: [['Content-Type', 'multipart/form-data; boundary=2fd80a7f9a3e4c1b']],
    body: `--2fd80a7f9a3e4c1b\r\nContent-Disposition: form-data; name="${NAME}"\r\n\r\n${text}\r\n--2fd80a7f9a3e4c1b--\r\n`,
  }),
  JSONBody: (text) => ({ method: 'POST', headers: [['Content-Type', 'application/json']], body: text }),
  JSONRequest: (text) => ({
    method: 'POST',
    headers: [['Content-Type', 'application/json']],
    body: `{"test": true, "${NAME}": "${jsEscaped(text)}"}`,
  }),
  XMLBody: (text) => ({ method: 'POST', headers: [['Content-Type', 'application/xml']], body: text }),
  SOAPBody: (text) => ({
    method: 'POST',
    headers: [
      ['SOAPAction', '"http://schemas.xmlsoap.org/soap/actor/next"'],
      ['Content-Type', 'text/xml'],
    ],
    body: SOAP(xmlEscaped(text)),
  }),
  RequestBody: (text) => ({ method: 'POST', headers: [['Content-Type', 'text/plain']], body: text }),
  GraphQL: (text, { method }) =>
    method === 'GET'
      ? { target: `/graphql?query=${encodedTarget(text)}` }
      : { method: 'POST', target: '/graphql', headers: [['Content-Type', 'application/json']], body: text },
  RawRequest: (text, { method, path, headers = {}, body }) => {
    const filled = (each) => String(each).replaceAll('{{payload}}', () => text)
    return {
      method,
      target: encodedTarget(filled(path)),
      headers: Object.entries(headers).map(([name, value]) => [name, filled(value)]),
      body: body === undefined ? '' : filled(body),
    }
  },
}

function goTestWaf(folder) {
  const cases = []
  for (const file of filesBelow(join(folder, 'testcases'), '.yml')) {
    const { payload, encoder, placeholder } = yaml(file)
    const set = basename(join(file, '..'))
    for (const text of payload)
      for (const encoding of encoder)
        for (const where of placeholder) {
          const [name, options] = typeof where === 'string' ? [where, {}] : Object.entries(where)[0]
          const make = PLACEHOLDERS[name]
          if (!make) continue
          // Two encoders of a form would encode its separator, too.
          const made = make(ENCODERS[encoding](String(text)), options ?? {})
          cases.push({
            set: `gotestwaf ${set}`,
            name: `${basename(file)} ${encoding} ${name} ${text}`,
            isAttack: set !== 'false-pos',
            request: request(made),
          })
        }
  }
  return cases
}

// waf-bypass of Nemesida

function wafBypass(folder) {
  const cases = []
  const below = join(folder, 'utils', 'payload')
  const encoded = (text, encoding, isForm) => {
    const one =
      encoding === 'BASE64'
        ? (value) => Buffer.from(value).toString('base64')
        : (value) => [...value].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')
    if (encoding === 'HTML-ENTITY') return encodeURIComponent(xmlEscaped(text))
    if (!isForm) return one(text)
    return text
      .split('&')
      .map((pair) =>
        pair.includes('=') ? `${pair.split('=', 1)[0]}=${one(pair.slice(pair.indexOf('=') + 1))}` : one(pair),
      )
      .join('&')
  }
  for (const file of filesBelow(below, '.json')) {
    const payload = JSON.parse(readFileSync(file, 'utf8')).payload[0]
    const folderName = relative(below, file).split('/')[0]
    const isAttack = payload.BLOCKED !== false
    const isMultipart = folderName === 'MFD'
    const type =
      payload.JSON || folderName === 'API'
        ? [['Content-Type', 'application/json']]
        : isMultipart
          ? [['Content-Type', `multipart/form-data; boundary=${payload.BOUNDARY ?? '2fd80a7f9a3e4c1b'}`]]
          : []
    const encodings =
      type.length > 0 ? [] : (payload.ENCODE ?? '').toUpperCase().replaceAll(',', ' ').split(' ').filter(Boolean)
    const add = (zone, encoding, made) =>
      cases.push({
        set: isAttack ? 'waf-bypass' : 'waf-bypass harmless',
        name: `${relative(below, file)} ${zone} ${encoding}`,
        isAttack,
        request: request({ ...made, headers: [...type, ...(made.headers ?? [])] }),
      })
    for (const encoding of ['', ...encodings]) {
      const at = (zone) => {
        const text = payload[zone]?.replaceAll('%RND%', '7c1')
        if (!text) return undefined
        return encoding === '' ? text : encoded(text, encoding, zone === 'ARGS' || zone === 'BODY')
      }
      const method = payload.METHOD ?? undefined
      if (encoding === '' && at('URL'))
        add('URL', '', { method, target: encodedTarget(at('URL').replace(/^\/*/, '/')) })
      if (at('ARGS')) add('ARGS', encoding, { method, target: `/?${encodedTarget(at('ARGS'))}` })
      if (at('BODY')) {
        const text = at('BODY')
        const isBare = isMultipart && !payload.BOUNDARY
        const body = isBare
          ? `--2fd80a7f9a3e4c1b\r\nContent-Disposition: form-data; name="${NAME}"\r\n\r\n${text}\r\n--2fd80a7f9a3e4c1b--\r\n`
          : text
        add('BODY', encoding, { method: method ?? 'POST', body })
      }
      const line = (text) => text.replace(/[\r\n]/g, ' ')
      if (at('COOKIE')) add('COOKIE', encoding, { method, headers: [['Cookie', `WBC-7c1=${line(at('COOKIE'))}`]] })
      if (encoding === '' && at('USER-AGENT'))
        add('USER-AGENT', '', { method, headers: [['User-Agent', line(at('USER-AGENT'))]] })
      if (encoding === '' && at('REFERER')) add('REFERER', '', { method, headers: [['Referer', line(at('REFERER'))]] })
      if (at('HEADER')) add('HEADER', encoding, { method, headers: [['WBH-7c1', line(at('HEADER'))]] })
    }
  }
  return cases
}

// libinjection

const LINES = 3_000

function libinjection(folder) {
  const lines = (file) =>
    readFileSync(file, 'latin1')
      .split('\n')
      .map((line) => line.replace(/\r$/, ''))
      .filter((line) => line !== '' && !line.startsWith('#'))
  const decoded = (text) =>
    text.replaceAll('+', ' ').replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  const asArgument = (text) =>
    [...text].map((c) => (/[\w.~-]/.test(c) ? c : `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`)).join('')
  const caseOf = (set, isAttack) => (line) => ({
    set,
    name: line,
    isAttack,
    request: { ...request({}), target: `/?q=${asArgument(isAttack ? decoded(line) : line)}` },
  })
  const data = join(folder, 'data')
  const files = filesBelow(data, '.txt')
  const sql = files.filter((file) => basename(file).startsWith('sqli-')).flatMap(lines)
  // Some of each file, the same each time.
  const step = Math.max(1, sql.length / LINES)
  const chosen = Array.from({ length: Math.min(LINES, sql.length) }, (_, at) => sql[Math.floor(at * step)])
  const xss = files.filter((file) => basename(file).startsWith('xss-')).flatMap(lines)
  return [
    ...chosen.map(caseOf('libinjection sqli', true)),
    ...xss.map(caseOf('libinjection xss', true)),
    ...lines(join(data, 'false_positives.txt')).map(caseOf('libinjection harmless', false)),
  ]
}

// OWASP CRS

/** The paranoia level of each rule. */
function levelsOf(folder) {
  const levels = new Map()
  for (const file of filesBelow(join(folder, 'rules'), '.conf'))
    for (const block of readFileSync(file, 'utf8').split(/\n(?=Sec(?:Rule|Action)\b)/)) {
      const id = /\bid:(\d{6})/.exec(block)?.[1]
      const level = /paranoia-level\/(\d)/.exec(block)?.[1]
      if (id && level) levels.set(Number(id), Number(level))
    }
  return levels
}

function parsedRequest(text) {
  const [head, ...rest] = text.split('\r\n\r\n')
  const [line, ...headers] = head.split('\r\n')
  const [method, target] = line.split(' ')
  if (!target) return undefined
  return {
    method,
    target,
    headers: headers.map((each) => [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 1).trim()]),
    body: rest.join('\r\n\r\n'),
  }
}

function coreRuleSet(folder) {
  const levels = levelsOf(folder)
  const cases = []
  for (const file of filesBelow(join(folder, 'tests', 'regression', 'tests'), '.yaml')) {
    const family = /REQUEST-(\d{3})/.exec(file)?.[1]
    if (!family || family > '944') continue
    const { rule_id: rule, tests } = yaml(file)
    if (levels.get(rule) !== 1) continue
    for (const { test_id: id, stages } of tests) {
      const { input, output } = stages.at(-1)
      const [expected, unexpected] = [output?.log?.expect_ids ?? [], output?.log?.no_expect_ids ?? []]
      const isAttack = expected.includes(rule)
      if (!isAttack && (expected.length > 0 || !unexpected.includes(rule))) continue
      const given = input.encoded_request
        ? parsedRequest(Buffer.from(input.encoded_request, 'base64').toString('latin1'))
        : {
            method: input.method ?? 'GET',
            target: input.uri ?? '/',
            headers: Object.entries(input.headers ?? {}),
            body: input.data === undefined ? '' : String(input.data),
          }
      if (!given) continue
      const headers = given.headers
        // Other hosts than that of the test server are what some cases are about.
        .map(([name, value]) => [name, name.toLowerCase() === 'host' && value === 'localhost' ? HOST : value])
        .filter(([name]) => !['content-length', 'connection'].includes(name.toLowerCase()))
      const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type')
      if (given.body !== '' && !hasType && input.autocomplete_headers !== false) headers.push(FORM)
      cases.push({
        set: isAttack ? `CRS ${family} level 1` : 'CRS negatives level 1',
        name: `${rule}-${id}`,
        isAttack,
        request: { ...request({ ...given, headers: [] }), headers: headers.map(([n, v]) => [n, latin1(String(v))]) },
      })
    }
  }
  return cases
}

const READERS = [
  ['testcases', goTestWaf],
  [join('utils', 'payload'), wafBypass],
  [join('data', 'false_positives.txt'), libinjection],
  [join('tests', 'regression'), coreRuleSet],
]

/** The cases of a checkout, by what it contains. */
export function casesOf(folder) {
  const reader = READERS.find(([path]) => existsSync(join(folder, path)))
  if (!reader) throw new Error(`${folder} is none of the corpora that this bench reads.`)
  return reader[1](folder)
}
