/** Structured logs: one JSON object a line, on standard error, so that standard output stays for answers. */

export type Level = 'debug' | 'info' | 'warn' | 'error'

export interface Logger {
  log(level: Level, message: string, fields?: Readonly<Record<string, unknown>>): void
}

const ORDER: readonly Level[] = ['debug', 'info', 'warn', 'error']

export function isLevel(text: string): text is Level {
  return (ORDER as readonly string[]).includes(text)
}

export function createLogger(
  minimum: Level,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Logger {
  return {
    log(level, message, fields = {}) {
      if (ORDER.indexOf(level) < ORDER.indexOf(minimum)) return
      const escaped = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]))
      write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...escaped })}\n`)
    },
  }
}

function plain(value: unknown): unknown {
  return value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value
}
