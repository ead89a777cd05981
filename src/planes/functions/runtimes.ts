/** The runtimes that functions may name, and what this machine runs them with. */
import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'

export interface Runtime {
  /** Program and arguments in front of the bootstrap. */
  readonly command: (memoryMb: number) => readonly string[]
  readonly bootstrap: string
  /** Folders and files besides `/usr` that it needs, to be read only. */
  readonly needs: readonly string[]
}

export const isSystem = (path: string): boolean => /^\/(usr|lib|lib64|bin|sbin)(\/|$)/.test(path)

const node: Runtime = {
  command: (memoryMb) => [process.execPath, `--max-old-space-size=${memoryMb}`],
  bootstrap: 'bootstrap.mjs',
  needs: isSystem(process.execPath) ? [] : [process.execPath],
}

let python: Runtime | undefined

const PYTHON_MS_MAX = 10_000

/** undefined where there is none; looked for again until there is one. */
function findPython(): Runtime | undefined {
  const script = 'import json,sys;print(json.dumps([sys.executable,sys.prefix,sys.base_prefix]))'
  const { stdout } = spawnSync('python3', ['-I', '-c', script], { encoding: 'utf8', timeout: PYTHON_MS_MAX })
  if (!stdout) return undefined
  const [program, ...prefixes] = JSON.parse(stdout) as string[]
  const needs = [...new Set(prefixes)]
    .filter((path) => !isSystem(path) && existsSync(path))
    .map((path) => realpathSync(path))
  return { command: () => [program!], bootstrap: 'bootstrap.py', needs }
}

/** The runtime, or why there is none. */
export function runtimeOf(name: string): Runtime | string {
  if (/^nodejs\d+\.x$/.test(name)) return node
  if (!/^python3\.\d+$/.test(name)) return `Merlon runs python3.x and nodejs runtimes; '${name}' is neither.`
  python ??= findPython()
  return python ?? `The runtime '${name}' needs Python on the server: install python3, then create the function again.`
}
