/** `merlon status`: does a server answer? */
import { type Command, portOf, readOptions } from './command.ts'

const options = {
  host: { type: 'string', value: 'HOST', about: 'where it listens (default 127.0.0.1)' },
  port: { type: 'string', value: 'PORT', about: 'and on which port (default 4566)' },
  json: { type: 'boolean', about: 'for programs' },
} as const

const TIMEOUT_MS = 3_000

export const status: Command = {
  name: 'status',
  about: 'Asks a running server how it is. Exit status 0 when it answers, 1 when it does not.',
  options,
  async run(words) {
    const given = readOptions(options, words)
    const url = `http://${given.host ?? '127.0.0.1'}:${portOf(given.port, 4566)}`
    const health = await ask(url)
    if (given.json) process.stdout.write(`${JSON.stringify({ url, ...(health ?? { status: 'down' }) })}\n`)
    else if (health) process.stdout.write(`Merlon ${health.version} answers on ${url}\n`)
    else process.stdout.write(`Nothing answers on ${url}. Start one with: merlon start\n`)
    return health ? 0 : 1
  },
}

async function ask(url: string): Promise<{ status: string; version: string } | undefined> {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    return answer.ok ? ((await answer.json()) as { status: string; version: string }) : undefined
  } catch {
    return undefined
  }
}
