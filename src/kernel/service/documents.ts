/** Documents that any client may read without a signature, such as the public keys that verify tokens. */
import type { Reader } from '../state/reader.ts'

export const DOCUMENTS_PATH = '/_merlon/public/'

export interface PublicDocument {
  /** What follows {@link DOCUMENTS_PATH}. */
  readonly path: RegExp
  /** The JSON; undefined where there is none. `groups` are those of the path. */
  readonly read: (reader: Reader, groups: readonly string[]) => Promise<object | undefined>
}

export async function readDocument(
  documents: readonly PublicDocument[],
  reader: Reader,
  path: string,
): Promise<object | undefined> {
  const wanted = path.slice(DOCUMENTS_PATH.length)
  for (const { path: known, read } of documents) {
    const match = known.exec(wanted)
    if (match) return read(reader, match.slice(1))
  }
  return undefined
}
