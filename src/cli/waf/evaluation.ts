/** Requests evaluated by a web ACL out of files. */
import { RateLimiter } from '../../engines/waf/rate-limiter.ts'
import type { InspectedRequest } from '../../engines/waf/request.ts'
import { UnevaluableRuleError } from '../../engines/waf/statement.ts'
import { type CompiledWebAcl, compileWebAcl, type Verdict } from '../../engines/waf/web-acl.ts'
import { InputError } from '../policy/files.ts'
import { readSources, readWebAcl } from './files.ts'

/** Throws an `InputError` for files that cannot be read, and for rules that cannot be evaluated. */
export function compileFiles(file: string, sources: readonly string[]): CompiledWebAcl {
  try {
    return compileWebAcl(readWebAcl(file), readSources(sources))
  } catch (error) {
    if (error instanceof UnevaluableRuleError) throw new InputError(`${file}: ${error.message}`)
    throw error
  }
}

/** What the web ACL decides of one request, with the texts that made rules match. */
export const decide = (file: string, sources: readonly string[], request: InspectedRequest): Verdict =>
  compileFiles(file, sources).evaluate(request, {
    rates: new RateLimiter(),
    now: Date.now(),
    token: {},
    explains: true,
  })
