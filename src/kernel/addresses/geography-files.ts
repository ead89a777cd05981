/** The files of `MERLON_GEOGRAPHY`: where addresses are. */
import { readFileSync } from 'node:fs'
import {
  joinedGeography,
  type LocateAddress,
  readGeography,
  readGeographyDatabase,
} from '../../engines/network/geography.ts'

/**
 * Reads one or several files, separated by commas: CSV, and databases whose names end with `.mmdb`. undefined where none is named.
 * Throws with the name of the variable for a file that cannot be read.
 */
export function readGeographyFiles(files: string | undefined): LocateAddress | undefined {
  const named = (files ?? '').split(',').map((file) => file.trim())
  const locating = named.filter((file) => file !== '').map(readFile)
  return locating.length === 0 ? undefined : joinedGeography(locating)
}

function readFile(file: string): LocateAddress {
  try {
    const bytes = readFileSync(file)
    return file.endsWith('.mmdb') ? readGeographyDatabase(bytes) : readGeography(bytes.toString('utf8'))
  } catch (error) {
    throw new Error(`MERLON_GEOGRAPHY: ${file}: ${(error as Error).message}`)
  }
}
