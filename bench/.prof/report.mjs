/** Tables: on the terminal, and between their marks in docs/benchmarks.md, where the prose around them is ours to keep. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const DOCUMENT = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url))

/** A Markdown table. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** `12,345`, `1.23`, or a dash for what was not measured. */
export function number(value) {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (value < 10) return value.toFixed(2)
  return Math.round(value).toLocaleString('en-US')
}

/** `12.3×`; `aim` is shown where it was missed. */
export function times(value, aim) {
  if (value === undefined || Number.isNaN(value)) return '–'
  const shown = `${value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')}×`
  return aim !== undefined && value < aim ? `${shown} (aim ${aim}×)` : shown
}

/** `85 %`; `aim` is shown where it was missed. */
export function share(value, aim) {
  if (value === undefined || Number.isNaN(value)) return '–'
  return `${Math.round(value * 100)} %${aim !== undefined && value < aim ? ` (aim ${aim * 100} %)` : ''}`
}

/** What a reader needs to know to compare. */
export function machine() {
  const [first] = cpus()
  const version = (words) => spawnSync(words[0], words.slice(1), { encoding: 'utf8' }).stdout?.trim().split('\n')[0]
  return [
    `${cpus().length} × ${first?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split('.').slice(0, 2).join('.')}`,
    `Node ${process.version}`,
    version(['openssl', 'version']),
    version(['python3', '-c', 'import moto; print("moto", moto.__version__)']),
    version(['pgbench', '--version']),
  ]
    .filter(Boolean)
    .join('; ')
}

/** Replaces what is between a part's marks. */
export function publish(name, text) {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
  const document = readFileSync(DOCUMENT, 'utf8')
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place marked ${begin} … ${end}`)
  writeFileSync(DOCUMENT, `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`)
}
