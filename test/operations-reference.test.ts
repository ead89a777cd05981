/**
 * docs/operations-reference.md says what the registry says: which operations are built, and which permissions each needs.
 * `npm run gen:docs` writes it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Operation } from '../src/kernel/service/service.ts'
import { services } from '../src/server/compose/services.ts'
import { services as rows } from '../src/wire/services.ts'
import { loadService } from '../src/wire/wire.ts'

const file = new URL('../docs/operations-reference.md', import.meta.url)
const code = (text: string) => `\`${text}\``

/** Why an operation evaluates no policy, or how it chooses among actions. */
function permissionOf({ actions, choice, reason }: Operation): string {
  if (choice) return `one of ${choice.among.map(code).join(', ')}`
  if (actions.length > 0) return actions.map(code).join(', ')
  return `none${reason === undefined ? '' : `: ${reason.replaceAll('|', '\\|')}`}`
}

const callerOf = ({ unsigned, bearer }: Operation): string =>
  bearer ? 'bearer token' : unsigned ? 'unsigned' : 'signed'

async function reference(): Promise<string> {
  const summary: string[] = []
  const sections: string[] = []
  const without: string[] = []
  for (const row of rows) {
    const built = services
      .filter(({ api }) => api.id === row.id)
      .flatMap(({ operations }) => operations)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    if (built.length === 0) {
      without.push(code(row.id))
      continue
    }
    const all = [...(await loadService(row)).operations.keys()].sort()
    const missing = all.filter((name) => !built.some((operation) => operation.name === name))
    summary.push(`| [${row.id}](#${row.id}) | ${built.length} | ${missing.length} |`)
    sections.push(
      `## ${row.id}`,
      '',
      '| operation | caller | permission |',
      '|---|---|---|',
      ...built.map((operation) => `| ${operation.name} | ${callerOf(operation)} | ${permissionOf(operation)} |`),
      '',
      missing.length === 0 ? 'All operations of the model are built.' : `Not built: ${missing.join(', ')}.`,
      '',
    )
  }
  return [
    '# Operations reference',
    '',
    'Generated from the registry of services by `npm run gen:docs`; a test compares it. Operations that are not built answer',
    '`NotImplemented` by name. Differences from AWS are in [services](services.md).',
    '',
    '| service | built | not built |',
    '|---|---|---|',
    ...summary,
    '',
    `No operation is built of: ${without.join(', ')}.`,
    '',
    ...sections,
  ].join('\n')
}

test('each service has one row', () => {
  const ids = rows.map(({ id }) => id)

  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
})

test('the operations reference is that of the registry: npm run gen:docs writes it', async () => {
  const text = await reference()
  if (process.env['MERLON_WRITE_DOCS'] === '1') writeFileSync(file, text)

  expect(readFileSync(file, 'utf8')).toBe(text)
  for (const { api, operations } of services.filter(({ operations }) => operations.length > 0))
    expect(text, api.id).toContain(`| [${api.id}](#${api.id}) | ${operations.length} |`)
})
