/** Administration over a Unix socket in the data directory: only its owner, on this machine, never over the network. */
import { existsSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { InstallationError, socketOf } from '../compose/installation.ts'
import type { Logger } from '../compose/log.ts'
import type { OperatorCode } from '../compose/operator-errors.ts'
import { isSocketPath, listenPrivately } from '../listen/private-socket.ts'
import type { AdminRequest, AdminResponse } from './admin-api.ts'

const BODY_BYTES_MAX = 64 * 1024
/** A backup of a large database takes its time. */
const ANSWER_MS_MAX = 60 * 60 * 1000

/** What the server says of a request that failed. */
export interface Complaint {
  readonly message: string
  readonly code?: OperatorCode
}

export interface AdminSocket {
  close(): Promise<void>
}

/** undefined when the folder's path is too long for a socket: then only a stopped server can be administered. */
export async function listenForAdmin(
  data: string,
  answer: (adminRequest: AdminRequest) => Promise<AdminResponse>,
  logger: Logger,
): Promise<AdminSocket | undefined> {
  const path = socketOf(data)
  if (!isSocketPath(path)) {
    logger.log('warn', 'no administration socket: the path of the data directory is too long', { path })
    return undefined
  }
  const server = createServer((incoming, outgoing) => {
    const respond = ({ status, body }: AdminResponse) => {
      outgoing.writeHead(status, { 'content-type': 'application/json' })
      outgoing.end(JSON.stringify(body))
    }
    read(incoming)
      .then((input) => answer({ route: `${incoming.method} ${incoming.url}`, input }))
      .then(respond, (error) => {
        logger.log('error', 'administration failed', { error })
        respond({ status: 500, body: { message: (error as Error).message } })
      })
  })
  // This process has the directory's lock.
  await listenPrivately(server, path)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** undefined when no server listens there. Throws what it complains of. */
export async function callServer(data: string, { route, input }: AdminRequest): Promise<object | undefined> {
  const socketPath = socketOf(data)
  if (!existsSync(socketPath)) return undefined
  const [method, path] = route.split(' ')
  const response = await new Promise<AdminResponse | undefined>((resolve, reject) => {
    const question = Buffer.from(JSON.stringify(input))
    const headers = { 'content-length': question.length }
    const sent = request({ socketPath, method, path, headers, timeout: ANSWER_MS_MAX }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: answer.statusCode ?? 500, body: (text === '' ? {} : JSON.parse(text)) as object })
      })
      answer.on('error', reject)
    })
    sent.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? resolve(undefined) : reject(error),
    )
    sent.end(question)
  })
  if (response && response.status !== 200) {
    const { message = `the server answered ${response.status}`, code } = response.body as Partial<Complaint>
    throw new InstallationError(message, code)
  }
  return response?.body
}

async function read(incoming: AsyncIterable<Buffer>): Promise<AdminRequest['input']> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming) {
    length += chunk.length
    if (length > BODY_BYTES_MAX) throw new Error('the question is too long')
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  const text = bytes.toString()
  for (const each of [...chunks, bytes]) each.fill(0)
  return text === '' ? {} : (JSON.parse(text) as AdminRequest['input'])
}
