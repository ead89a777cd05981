/**
 * The commands of a page: `sh` blocks are scripts, `console` blocks show commands after `$ ` and their output. A block that
 * cannot run in a test has `<!-- not run: REASON -->` above it, one whose last command fails on purpose
 * `<!-- exit status: N -->`, or `N or M`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../..', import.meta.url))

export interface Step {
  readonly command: string
  /** Lines of output as the page shows them; empty where it shows none. */
  readonly output: readonly string[]
}

export interface Block {
  readonly page: string
  readonly line: number
  readonly language: string
  readonly text: string
  readonly steps: readonly Step[]
  readonly notRun: string | undefined
  /** What the last command may end with. */
  readonly statuses: readonly number[]
}

const FENCE = /^(\s*)```(\S*)\s*$/
const NOT_RUN = /^<!-- not run: (.+) -->$/
const STATUS = /^<!-- exit status: (\d+(?: or \d+)*) -->$/
const SUCCESS: readonly number[] = [0]
const EXECUTABLE = new Set(['sh', 'console'])

export const pages = (): string[] => [
  'README.md',
  ...readdirSync(`${repository}/docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
]

export const blocksOf = (page: string): Block[] => parseBlocks(page, readFileSync(`${repository}/${page}`, 'utf8'))

/** Blocks of all languages: a page's configuration files are shown as blocks, too. */
export function parseBlocks(page: string, markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { line: number; indent: string; language: string; lines: string[] } | undefined
  let notRun: string | undefined
  let statuses = SUCCESS
  markdown.split('\n').forEach((text, index) => {
    const fence = FENCE.exec(text)
    if (open) {
      if (!fence || fence[2]) {
        open.lines.push(text.replace(open.indent, ''))
        return
      }
      const { line, language, lines } = open
      blocks.push({ page, line, language, text: lines.join('\n'), steps: stepsOf(language, lines), notRun, statuses })
      open = undefined
      notRun = undefined
      statuses = SUCCESS
    } else if (fence) {
      open = { line: index + 1, indent: fence[1]!, language: fence[2]!, lines: [] }
    } else if (text.trim() !== '') {
      notRun = NOT_RUN.exec(text.trim())?.[1]
      statuses = STATUS.exec(text.trim())?.[1]?.split(' or ').map(Number) ?? SUCCESS
    }
  })
  if (open) throw new Error(`${page}:${open.line}: the block does not end`)
  return blocks
}

function stepsOf(language: string, lines: readonly string[]): Step[] {
  if (!EXECUTABLE.has(language)) return []
  if (language === 'sh') return [{ command: lines.join('\n'), output: [] }]
  const steps: { command: string; output: string[] }[] = []
  let continued = false
  for (const line of lines) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: [] })
    else if (continued) steps.at(-1)!.command += `\n${line}`
    else steps.at(-1)?.output.push(line)
    continued = (line.startsWith('$ ') || continued) && line.endsWith('\\')
  }
  return steps.map(({ command, output }) => ({ command, output: trimmed(output) }))
}

const trimmed = (lines: readonly string[]) => {
  const last = lines.findLastIndex((line) => line.trim() !== '')
  return lines.slice(0, last + 1)
}

/**
 * A pattern of the shape of an output: identifiers, numbers and times differ between runs, and `…` matches any text.
 */
export function shapeOf(output: readonly string[]): RegExp {
  const pattern = output
    .join(' ')
    .split(VARIABLE)
    .map((part, n) => (n % 2 === 1 ? (part === '…' ? '.*?' : '[\\w:./+-]+') : words(part)))
    .join('')
  return new RegExp(pattern, 's')
}

/** What differs from run to run: UUIDs, times, hashes, access keys, numbers; and the sign for text that is left out. */
const VARIABLE =
  /(…|\bACCOUNT\b|[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[\d:.]+Z?|\b[0-9a-f]{32,}\b|\bA[KS]IA[0-9A-Z]{16}\b|\b\d+\b)/

/** White space only separates: pages wrap long lines. */
const words = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+')
