/**
 * What V8 has compiled is kept in the cache directory of the user, so that the next start reads it (Node.js 22 and newer). It is code of
 * the package alone. Without a directory that can be written nothing is kept. `NODE_DISABLE_COMPILE_CACHE=1` turns it off.
 * Source: https://nodejs.org/api/module.html#module-compile-cache
 */
import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

interface CompileCache {
  readonly enableCompileCache?: (directory: string) => unknown
}

export function keepCompiledCode(): void {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  // Another directory that the operator named is in use already.
  if (!process.env['NODE_COMPILE_CACHE']) (module as CompileCache).enableCompileCache?.(join(cache, 'merlon'))
}
