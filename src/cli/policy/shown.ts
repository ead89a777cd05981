/** How answers look to a person: tables, marks, and JSON for programs. */

/** Columns as wide as their widest cell; the last is left as it is. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows
    .map((row) => indent + row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i]!) : cell)).join('  '))
    .map((line) => line.trimEnd() + '\n')
    .join('')
}

export const printLine = (text: string): void => void process.stdout.write(text)

export const printJson = (answer: unknown): void => printLine(`${JSON.stringify(answer, undefined, 2)}\n`)

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
