/** Checks of the ports: free, answered by Merlon, or taken by another program. */
import { createServer } from 'node:net'
import { type Check, fail, pass, warn } from './check.ts'

const TIMEOUT_MS = 2_000

export interface Listening {
  readonly host: string
  readonly port: number
  /** Whether a server runs on the data directory. */
  readonly isRunning: boolean
  /** Of this command. */
  readonly version: string
}

export async function portChecks({ host, port, isRunning, version }: Listening): Promise<readonly Check[]> {
  const check = `port ${port}`
  const answering = await versionAt(`http://${host}:${port}`)
  if (answering !== undefined)
    return [
      isRunning
        ? pass(check, 'Merlon answers')
        : fail(
            check,
            'a Merlon server of other data answers',
            `Stop it, or choose another: merlon start --port ${port + 10}`,
          ),
      answering === version
        ? pass('server version', answering)
        : warn(
            'server version',
            `${answering}, and this command is ${version}`,
            'Restart the server with this version',
          ),
    ]
  const code = await bindError(host, port)
  if (isRunning)
    return [
      warn(
        check,
        code === undefined ? 'the running server does not listen here' : 'the server does not answer plain HTTP here',
        'Name its address: merlon doctor --host HOST --port PORT. With TLS, use: merlon status --data DIR',
      ),
    ]
  if (code === 'EADDRINUSE')
    return [fail(check, 'another program listens', `Stop it, or choose another: merlon start --port ${port + 10}`)]
  if (code !== undefined)
    return [
      fail(check, `cannot be opened on ${host} (${code})`, 'Choose a --host of this machine and a --port above 1023'),
    ]
  return [pass(check, 'free')]
}

/** Undefined where no Merlon answers. */
async function versionAt(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const { version } = (await answer.json()) as { readonly version?: unknown }
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}

/** Opens the port for a moment. Undefined where it is free. */
function bindError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
