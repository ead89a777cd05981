/** `merlon waf import`: what it prints and writes, and that explain reads it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { waf } from '../waf.ts'

const folder = mkdtempSync(join(tmpdir(), 'merlon-waf-import-'))
const at = (name: string): string => join(folder, name)

let printed = ''
beforeAll(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((printed += text)) || true)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((printed += text)) || true)
})
afterEach(() => {
  printed = ''
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

test('Rules are written as a web ACL that explain reads; those without a counterpart are listed', async () => {
  writeFileSync(
    at('rules.conf'),
    'SecRule REQUEST_HEADERS:User-Agent "@pm nikto" "id:1,phase:1,deny"\nSecRule TX:score "@ge 5" "id:2,phase:2,deny"\n',
  )
  expect(await waf.run(['import', at('rules.conf'), '--out', at('acl.json')])).toBe(1)
  expect(printed).toContain('1 rule imported, 1 not.')
  expect(printed).toContain('2  line 2  no variable of TX:score has a component')
  expect(readFileSync(at('acl.json'), 'utf8')).toContain('"SearchString": "nikto"')
  const explain = (agent: string) =>
    waf.run(['explain', '--acl', at('acl.json'), '--url', 'https://a.example/', '--header', `User-Agent: ${agent}`])
  expect(await explain('Nikto/2')).toBe(1)
  expect(await explain('curl/8')).toBe(0)
})

test('Files that cannot be read, and other options, end with 2', async () => {
  expect(await waf.run(['import', at('none.conf')])).toBe(2)
  writeFileSync(at('empty.conf'), '')
  expect(await waf.run(['import', at('empty.conf')])).toBe(0)
  expect(printed).toContain('0 rules imported, 0 not.')
})
