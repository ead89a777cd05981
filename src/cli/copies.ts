/** What is said of keyrings beside backups that are as they were. */
import type { Replaced } from '../server/trust/backup.ts'

/** Returns the exit status: 1 when the operator has to do something. */
export function warnOfCopies(copies: readonly Replaced[], what: string): 0 | 1 {
  const left = copies.filter(({ replaced }) => !replaced)
  for (const { file, node } of left) {
    const why =
      node === undefined ? 'could not be replaced' : `is stored on node '${node}', which replaces it when it runs`
    process.stderr.write(`${file} ${why}${node === undefined ? ':' : '; else'} ${what}.\n`)
  }
  return left.some(({ node }) => node === undefined) ? 1 : 0
}
