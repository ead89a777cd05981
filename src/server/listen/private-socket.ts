/** Unix sockets that only the user of the server may connect to. */
import { chmodSync, rmSync } from 'node:fs'
import type { Server } from 'node:net'

/** Of a path in `struct sockaddr_un`, its final NUL included. */
const PATH_BYTES_MAX = 108

/** Whether a socket can have this path. */
export const isSocketPath = (path: string): boolean => Buffer.byteLength(path) < PATH_BYTES_MAX

/**
 * Listens at the path. Throws where it cannot. To be called with the lock of the directory: what is there is left over from a process
 * that has died.
 */
export async function listenPrivately(server: Server, path: string, options: { readonly backlog?: number } = {}) {
  rmSync(path, { force: true })
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path, ...options }, resolve)
    })
    chmodSync(path, 0o600)
  } finally {
    process.umask(mask)
  }
}
