/** Files that a command line names: what cannot be read is an error of its writer. */
import * as files from '../../kernel/list-files.ts'
import { InputError } from '../policy/files.ts'

/** Throws an `InputError`. */
export const listFiles = (root: string, name: RegExp): readonly string[] =>
  orInputError(() => files.listFiles(root, name))

/** Throws an `InputError`. */
export const statOf = (path: string) => orInputError(() => files.statOf(path))

function orInputError<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof files.UnreadablePathError) throw new InputError(error.message)
    throw error
  }
}
