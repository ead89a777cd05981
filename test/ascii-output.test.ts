import { readdirSync, readFileSync } from 'node:fs'
import { runInThisContext } from 'node:vm'
import { expect, it } from 'vitest'
import { escaped } from '../tools/ascii-output.ts'

it('writes the same strings, templates, regular expressions and names in ASCII', () => {
  const code =
    "globalThis.größe = { 'é—': `ü${1}ß`, '😀': /^[ä-ö😀]$/u.test('😀') }; JSON.stringify([größe, Object.keys(größe)])"
  const ascii = escaped(code)
  expect(ascii).toMatch(/^[ -~]*$/)
  expect(runInThisContext(ascii)).toBe(runInThisContext(code))
})

it('refuses a backslash before such a character, and not an escaped backslash', () => {
  expect(() => escaped("'\\é'")).toThrow(/backslash/)
  expect(runInThisContext(escaped("'\\\\é'"))).toBe('\\é')
})

it('leaves no other characters in the release', () => {
  const chunks = new URL('../dist/chunks/', import.meta.url)
  const texts = readdirSync(chunks).filter((file) => file.endsWith('.js'))
  expect(texts.length).toBeGreaterThan(50)
  for (const file of texts) expect(readFileSync(new URL(file, chunks), 'latin1'), file).not.toMatch(/[\u0080-\uffff]/)
})
