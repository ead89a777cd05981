/**
 * The secrets that a list or a batch selects.
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
 */
import { invalidParameter, type SecretRow } from './resources.ts'

export interface Filter {
  readonly Key?: string | undefined
  readonly Values?: readonly string[] | undefined
}

type Texts = (row: SecretRow) => readonly (string | undefined)[]

const tagKeys: Texts = ({ tags = {} }) => Object.keys(tags)
const tagValues: Texts = ({ tags = {} }) => Object.values(tags)

interface Rule {
  readonly texts: Texts
  /** Prefixes of the whole text, or of each word in it. */
  readonly by: 'prefix' | 'words'
  readonly caseless: boolean
}

const RULES: Readonly<Record<string, Rule>> = {
  name: { texts: ({ name }) => [name], by: 'prefix', caseless: false },
  description: { texts: ({ description }) => [description], by: 'words', caseless: true },
  'tag-key': { texts: tagKeys, by: 'prefix', caseless: false },
  'tag-value': { texts: tagValues, by: 'prefix', caseless: false },
  'primary-region': { texts: ({ primaryRegion }) => [primaryRegion], by: 'prefix', caseless: false },
  'owning-service': { texts: () => [], by: 'prefix', caseless: false },
  all: {
    texts: (row) => [row.name, row.description, row.primaryRegion, ...tagKeys(row), ...tagValues(row)],
    by: 'words',
    caseless: true,
  },
}

/** Every filter must fit; of its values one, and none of those after a `!`. */
export function filtered(rows: readonly SecretRow[], filters: readonly Filter[] = []): readonly SecretRow[] {
  return rows.filter((row) => filters.every((filter) => fits(row, filter)))
}

function fits(row: SecretRow, { Key, Values = [] }: Filter): boolean {
  const rule = RULES[Key ?? '']
  if (!rule || Values.length === 0) throw invalidParameter('A filter needs a key and values.')
  const texts = rule.texts(row).filter((text) => text !== undefined)
  const wanted = Values.filter((value) => !value.startsWith('!'))
  const unwanted = Values.filter((value) => value.startsWith('!')).map((value) => value.slice(1))
  const matches = (value: string) => texts.some((text) => begins(text, value, rule))
  return (wanted.length === 0 || wanted.some(matches)) && !unwanted.some(matches)
}

function begins(text: string, value: string, { by, caseless }: Rule): boolean {
  const [within, sought] = caseless ? [text.toLowerCase(), value.toLowerCase()] : [text, value]
  if (within.startsWith(sought)) return true
  if (by === 'prefix') return false
  const words = within.split(/[\s/_+=.@-]+/)
  return sought
    .split(/\s+/)
    .filter((part) => part !== '')
    .every((part) => words.some((word) => word.startsWith(part)))
}
