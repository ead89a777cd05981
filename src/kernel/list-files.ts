/** The files of a directory and the directories below it. */
import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'

const DEPTH_MAX = 32

/** The message names the path. */
export class UnreadablePathError extends Error {
  override readonly name = 'UnreadablePathError'
}

/** Sorted; links are not followed. `root` may be a file, whatever its name. Throws an {@link UnreadablePathError}. */
export function listFiles(root: string, name: RegExp): readonly string[] {
  const files: string[] = []
  const visit = (directory: string, depth: number): void => {
    if (depth > DEPTH_MAX) return
    for (const entry of entriesOf(directory)) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) visit(path, depth + 1)
      else if (entry.isFile() && name.test(entry.name)) files.push(path)
    }
  }
  if (statOf(root).isFile()) return [root]
  visit(root, 0)
  return files.sort()
}

/** Throws an {@link UnreadablePathError}. */
export function statOf(path: string): Stats {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) throw new UnreadablePathError(`${path}: there is no such directory or file.`)
  return found
}

function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    throw new UnreadablePathError(`${directory}: cannot be read: ${(error as Error).message}`)
  }
}
