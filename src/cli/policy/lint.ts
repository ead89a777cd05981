/** `merlon policy lint FILE…`: what is wrong with policies, what is dangerous in them, what could be said better. */
import { absenceIn } from '../../kernel/resource/absent-keys.ts'
import { absentGlobalKeys } from '../../kernel/resource/global-keys.ts'
import { policyReference } from '../../kernel/resource/policy-reference.ts'
import { Budget, type Finding, lint, type PolicyKind } from '../../policy/index.ts'
import { services } from '../../server/compose/services.ts'
import { UsageError } from '../command.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'
import { kindOf, readText } from './files.ts'
import { plural, printJson, printLine } from './shown.ts'

const KINDS: readonly PolicyKind[] = ['identity', 'resource', 'trust', 'boundary', 'session', 'scp', 'rcp']
const FILES_MAX = 10_000

const options = {
  kind: { type: 'string', value: 'KIND', about: `${KINDS.join(', ')} (default: as the policy's elements show)` },
  strict: { type: 'boolean', about: 'warnings and suggestions count as well' },
  json: { type: 'boolean', about: 'for programs' },
} as const

export const lintCommand: SubCommand = {
  name: 'lint',
  operands: 'FILE…',
  about: 'Checks policies. Exit status 1 when one has an error or a security warning.',
  options,
  async run(words) {
    const { given, operands } = parseSubcommand(options, words, { least: 1, most: FILES_MAX, names: 'FILE…' })
    const kind = KINDS.find((each) => each === given.kind)
    if (given.kind !== undefined && !kind)
      throw new UsageError(`--kind is one of ${KINDS.join(', ')}; '${given.kind}' is none.`)
    const absent = absenceIn([absentGlobalKeys, ...services.map(({ absentKeys }) => absentKeys)])
    const reference = { ...(await policyReference()), absent }
    const budget = new Budget(Number.POSITIVE_INFINITY)
    const found = operands.map((file) => {
      const text = readText(file)
      return { file, findings: lint(text, kind ?? kindOf(text), reference, { budget }) }
    })
    const all = found.flatMap(({ findings }) => findings)
    if (given.json) printJson(found)
    else {
      for (const { file, findings } of found) for (const finding of findings) printLine(`${shown(file, finding)}\n`)
      printLine(`${plural(operands.length, 'file')}, ${plural(all.length, 'finding')}\n`)
    }
    return all.some((finding) => given.strict || counts(finding)) ? 1 : 0
  },
}

const counts = ({ findingType }: Finding) => findingType === 'ERROR' || findingType === 'SECURITY_WARNING'

function shown(file: string, { locations, findingType, issueCode, findingDetails }: Finding): string {
  const start = locations[0]?.span.start
  const place = start ? `${file}:${start.line}:${start.column + 1}` : file
  return `${place}: ${findingType.toLowerCase().replace('_', ' ')} ${issueCode}: ${findingDetails}`
}
