/** `npm run build`: the release into dist/, and one line about it. */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'
import { loadConfig } from 'rolldown/config'
import { buildConsole } from './build-console.mjs'
import { buildManagedPolicies } from './build-managed-policies.mjs'

const dist = new URL('../dist/', import.meta.url)
const policies = buildManagedPolicies(dist)
const output = []
for (const part of await loadConfig('rolldown.config.mts')) output.push(...(await build(part)).output)

// As npm makes it where the package is installed: `npx merlon` runs it here, too.
chmodSync(new URL('merlon.js', dist), 0o755)

const consoleBuilt = await buildConsole(dist)

// The types of what can be imported, for `import` and for `require`.
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.package.json'], { stdio: 'inherit' })
const types = new URL('types/', dist)
const typesOfCommonJs = new URL('types-cjs/', dist)
cpSync(types, typesOfCommonJs, { recursive: true })
writeFileSync(new URL('package.json', typesOfCommonJs), '{"type":"commonjs"}\n')

// Chunks are named after their content: those of earlier builds stay behind.
const made = new Set(output.map(({ fileName }) => fileName))
const chunks = readdirSync(new URL('chunks/', dist)).map((file) => `chunks/${file}`)
for (const stale of chunks.filter((file) => !made.has(file))) rmSync(new URL(stale, dist))

const bytes = [...made].reduce((sum, file) => sum + statSync(new URL(file, dist)).size, 0)
console.log(
  `dist/: ${made.size} modules, ${(bytes / 1e6).toFixed(1)} MB; ${policies} AWS managed policies; console ${consoleBuilt}`,
)
