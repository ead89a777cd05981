/** `merlon waf import`: rules in SecLang as the rules of a web ACL, and what of them cannot be expressed. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { SecLangImport, SecLangNote } from '../../engines/waf/seclang/import.ts'
import { UsageError } from '../command.ts'
import { InputError } from '../policy/files.ts'
import { plural, printJson, printLine, table } from '../policy/shown.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  'ip-set': {
    type: 'string',
    value: 'ID=ARN',
    multiple: true,
    about: 'IP set with the addresses of the rule ID, which has @ipMatch',
  },
  out: {
    type: 'string',
    value: 'FILE',
    about: 'write the web ACL to FILE, as the console edits it and explain reads it',
  },
  json: { type: 'boolean', about: 'print JSON' },
} as const

const BYTES_MAX = 16 * 1024 * 1024

export const importCommand: SubCommand = {
  name: 'import',
  operands: 'FILE…',
  about:
    'Converts SecLang rules (ModSecurity, Coraza) to rules of a web ACL, and lists those that cannot be expressed.',
  options,
  async run(words) {
    const { given, operands } = parseSubcommand(options, words, { least: 1, most: 1_000, names: 'files' })
    const { importSecLang } = await import('../../engines/waf/seclang/import.ts')
    const { toJson } = await import('../../engines/waf/json.ts')
    const imported = importSecLang(operands.map(read).join('\n'), { ipSets: ipSetsOf(given['ip-set']) })
    const acl = { Name: 'imported', DefaultAction: { Allow: {} }, Rules: withText(toJson(imported.rules)) }
    if (given.out !== undefined) writeFileSync(given.out, `${JSON.stringify(acl, undefined, 2)}\n`)
    if (given.json) printJson({ ...imported, rules: acl.Rules })
    else printLine(shown(imported))
    return imported.notImported.length === 0 ? 0 : 1
  },
}

function read(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new InputError(`${file}: ${(error as Error).message}`)
  }
  if (text.length > BYTES_MAX) throw new InputError(`${file}: is larger than ${BYTES_MAX / 1024 ** 2} MB.`)
  return text
}

const ipSetsOf = (given: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    given.map((each) => {
      const [, id, arn] = /^([^=]+)=(arn:.+)$/.exec(each) ?? []
      if (id === undefined || arn === undefined) throw new UsageError(`--ip-set '${each}' is not ID=ARN.`)
      return [id, arn] as const
    }),
  )

/** The console's editor has search strings as text. */
function withText<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withText) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      name === 'SearchString' ? Buffer.from(each as string, 'base64').toString('utf8') : withText(each),
    ]),
  ) as T
}

function shown({ rules, notImported, warnings }: SecLangImport): string {
  const rows = (notes: readonly SecLangNote[]) =>
    table(
      notes.map(({ id, line, reason }) => [id, `line ${line}`, reason]),
      '  ',
    )
  const lines = [`${plural(rules.length, 'rule')} imported, ${notImported.length} not.`]
  if (notImported.length > 0) lines.push('Not imported:', rows(notImported).trimEnd())
  if (warnings.length > 0) lines.push('Imported with differences:', rows(warnings).trimEnd())
  return `${lines.join('\n')}\n`
}
