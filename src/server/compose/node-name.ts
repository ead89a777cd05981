/** The name of a node among those that share a database: chosen once, and stored in its data directory. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { readOwnFile, replaceFile } from '../../vault/durable-file.ts'
import { InstallationError } from './installation.ts'

const NAME = /^[a-z0-9-]{1,32}$/
const HOST_LENGTH_MAX = 23

export const nodeNameOf = (data: string): string => join(data, 'merlon.node')

export interface NodeName {
  readonly name: string
  /** Writes it down, once this process has taken the name. The directory must exist. */
  keep(): void
}

/** Writes nothing. Throws an `InstallationError` for a name that cannot be one, or that is not the directory's. */
export function nodeName(data: string, chosen: string | undefined): NodeName {
  if (chosen !== undefined && !NAME.test(chosen))
    throw new InstallationError(
      `--node '${chosen}' is no name of a node. A name has 1 to 32 characters of a-z, 0-9 and '-'.`,
      'MERLON_NODE_NAME_INVALID',
    )
  const kept = readOwnFile(nodeNameOf(data))?.trim()
  if (kept !== undefined && (chosen === undefined || chosen === kept)) return { name: kept, keep: () => undefined }
  if (kept !== undefined) {
    throw new InstallationError(
      `${data} is the data directory of node '${kept}', not of '${chosen}'. Give each node a --data of its own.`,
      'MERLON_DATA_MISMATCH',
    )
  }
  const name = chosen ?? newName()
  return { name, keep: () => replaceFile(nodeNameOf(data), `${name}\n`) }
}

/** After its host, and never that of another. */
function newName(): string {
  const host = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, HOST_LENGTH_MAX)
  return `${host}-${randomBytes(4).toString('hex')}`
}
