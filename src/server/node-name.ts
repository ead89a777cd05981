/** What a node is called among those that share a database: chosen once, and kept in its data folder. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { readOwnFile, replaceFile } from '../vault/durable-file.ts'
import { InstallationError } from './installation.ts'

const NAME = /^[a-z0-9-]{1,32}$/
const HOST_LENGTH_MAX = 23

export const nodeNameOf = (data: string): string => join(data, 'merlon.node')

/** The folder must exist. Throws an `InstallationError` for a name that cannot be one, or that is not the folder's. */
export function nodeName(data: string, given: string | undefined): string {
  if (given !== undefined && !NAME.test(given))
    throw new InstallationError(`A node's name has 1 to 32 of a-z, 0-9 and '-'; '${given}' has not.`)
  const kept = readOwnFile(nodeNameOf(data))?.trim()
  if (kept !== undefined && (given === undefined || given === kept)) return kept
  if (kept !== undefined) {
    throw new InstallationError(
      `${data} is the folder of node '${kept}', not of '${given}'. Give each node a --data of its own.`,
    )
  }
  const name = given ?? newName()
  replaceFile(nodeNameOf(data), `${name}\n`)
  return name
}

/** After its host, and never that of another. */
function newName(): string {
  const host = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, HOST_LENGTH_MAX)
  return `${host}-${randomBytes(4).toString('hex')}`
}
