/** The documentation: every relative link leads to a file that is there, and to a heading in it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { services } from '../src/server/compose/services.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const SKIPPED = new Set(['node_modules', 'dist', '.git'])

function pagesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : pagesBelow(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '')

/** As GitHub makes them: lower case, punctuation gone, blanks as hyphens, numbered where one occurs again. */
function anchorsOf(file: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutCode(readFileSync(file, 'utf8')).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '')
    const anchor = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    anchors.add(times === 0 ? anchor : `${anchor}-${times}`)
  }
  return anchors
}

function brokenIn(file: string): readonly string[] {
  const text = withoutCode(readFileSync(file, 'utf8')).replace(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return []
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? file : resolve(dirname(file), decodeURIComponent(path))
    const broken = `${relative(root, file)}: ${link}`
    if (!existsSync(target)) return [broken]
    if (anchor === undefined || statSync(target).isDirectory() || !target.endsWith('.md')) return []
    return anchorsOf(target).has(anchor) ? [] : [broken]
  })
}

test('every relative link and anchor leads somewhere', () => {
  const pages = pagesBelow(root)

  expect(pages.length).toBeGreaterThan(10)
  expect(pages.flatMap(brokenIn)).toEqual([])
})

test('the README says of speed what was measured', () => {
  const [, least, most] = /([\d.]+) to ([\d.]+) times the calls of `moto_server`/.exec(
    readFileSync(join(root, 'README.md'), 'utf8'),
  )!
  const tables = [
    ...readFileSync(join(root, 'docs/benchmarks.md'), 'utf8').matchAll(
      /<!-- bench:(?:api|kms|secrets) -->[\s\S]*?<!-- \//g,
    ),
  ]
  const rows = tables.join('').matchAll(/^\| \w+:\w+ \|.*\| ([\d.]+)×/gm)
  const measured = [...rows].map(([, ratio]) => Number(ratio))

  expect(Number(least)).toBeLessThanOrEqual(Math.min(...measured))
  expect(Number(most)).toBeLessThanOrEqual(Math.max(...measured))
})

test('SECURITY.md names every service that has operations without a signature', () => {
  const [, section = ''] = readFileSync(join(root, 'SECURITY.md'), 'utf8').split(/^## Without a signature$/m)
  const unsigned = services.filter(({ operations }) => operations.some((operation) => operation.unsigned))

  expect(unsigned.length).toBeGreaterThan(3)
  expect(unsigned.map(({ api }) => api.id).filter((id) => !section.includes(`\`${id}\``))).toEqual([])
})
