/** The WAF engine of the sources as one module: benches need no build. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const source = (path) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))

/** The exports of these source files: `{ 'engines/waf/published.ts': ['compilePublished'] }`. */
export async function sourceModule(exports) {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-bench-waf-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  const entry = join(folder, 'entry.ts')
  const lines = Object.entries(exports).map(([path, names]) => `export { ${names.join(', ')} } from '${source(path)}'`)
  writeFileSync(entry, lines.join('\n'))
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const bundle = await rolldown({ input: entry, platform: 'node', cwd: root, logLevel: 'silent' })
  await bundle.write({ file: join(folder, 'engine.mjs'), format: 'esm' })
  return import(pathToFileURL(join(folder, 'engine.mjs')).href)
}

const VISIBILITY = { SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false, MetricName: 'bench' }

/** A web ACL as gateways get it, of these managed rule groups. */
export const publishedAcl = (groups) => ({
  arn: 'arn:aws:wafv2:us-east-1:111122223333:regional/webacl/bench/0',
  name: 'bench',
  accountId: '111122223333',
  region: 'us-east-1',
  revision: '1',
  labelNamespace: 'awswaf:111122223333:webacl:bench:',
  visibility: VISIBILITY,
  defaultAction: { Allow: {} },
  rules: groups.map((Name, Priority) => ({
    Name,
    Priority,
    Statement: { ManagedRuleGroupStatement: { VendorName: Name.startsWith('AWS') ? 'AWS' : 'Merlon', Name } },
    OverrideAction: { None: {} },
    VisibilityConfig: VISIBILITY,
  })),
  tokenDomains: [],
  ruleGroups: {},
  ipSets: {},
  regexPatternSets: {},
  dataProtection: [],
})
