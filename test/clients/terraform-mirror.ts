/** Where this machine keeps Terraform's AWS provider: the tests download nothing. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const REGISTRY = 'registry.terraform.io'
const PROVIDER = join(REGISTRY, 'hashicorp', 'aws')

/** The places that Terraform itself looks in. https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories */
const usual = () => [
  join(homedir(), '.terraform.d', 'plugins'),
  join(homedir(), '.local', 'share', 'terraform', 'plugins'),
  '/usr/local/share/terraform/plugins',
  '/usr/share/terraform/plugins',
]

/** A file system mirror that holds the AWS provider; undefined when this machine has none. */
export function findMirror(): string | undefined {
  const given = process.env['TF_PLUGIN_MIRROR']
  if (given !== undefined) return holdsProvider(given) ? given : undefined
  return usual().find(holdsProvider) ?? search('/', 3)
}

/** Writes a CLI configuration that installs from the mirror alone; returns its path. */
export function writeCliConfig(folder: string, mirror: string): string {
  const file = join(folder, 'terraform.rc')
  writeFileSync(file, `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`)
  return file
}

const holdsProvider = (folder: string) => existsSync(join(folder, PROVIDER))

/** Kernel file systems: large, and no place for plugins. */
const skipped: ReadonlySet<string> = new Set(['/proc', '/sys', '/dev', '/run'])

function search(folder: string, depth: number): string | undefined {
  if (skipped.has(folder)) return undefined
  if (holdsProvider(folder)) return folder
  if (depth === 0) return undefined
  for (const name of foldersIn(folder)) {
    const found = search(join(folder, name), depth - 1)
    if (found !== undefined) return found
  }
  return undefined
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  } catch {
    // Not ours to read.
    return []
  }
}
