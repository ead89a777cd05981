/** Files that belong to the program and are read at run time, such as tables. */
import { existsSync } from 'node:fs'

/** Beside the bundle, beside its chunks, in the source tree, and in what was built from it. */
const PLACES = ['./', '../', '../../', '../../dist/']

/**
 * Where a file of the installation is; undefined when it is missing.
 *
 * @example
 * installedFile('models/constraints/iam.json')
 */
export const installedFile = (path: string): URL | undefined =>
  PLACES.map((place) => new URL(place + path, import.meta.url)).find((url) => existsSync(url))
