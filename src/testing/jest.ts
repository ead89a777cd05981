/**
 * Jest: matchers, and a server for the tests of a file. It uses Jest's globals.
 *
 * @example
 * import { useMerlon } from 'merlon/jest'
 * const merlon = useMerlon()
 *
 * // once, for TypeScript:
 * declare global { namespace jest { interface Matchers<R> extends import('merlon').MerlonMatchers<R> {} } }
 */

import type { Merlon } from './connect.ts'
import { matchers } from './matchers.ts'
import type { StartOptions } from './start.ts'
import { useMerlonWith } from './use-merlon.ts'

type Hook = (work: () => Promise<void>, timeoutMs?: number) => void

interface JestGlobals {
  readonly beforeAll: Hook
  readonly beforeEach: Hook
  readonly afterAll: Hook
  readonly expect: { extend(matchers: object): void }
}

const jest = globalThis as unknown as Partial<JestGlobals>
const { beforeAll, beforeEach, afterAll, expect } = jest
if (!beforeAll || !beforeEach || !afterAll || !expect)
  throw new Error("'merlon/jest' is for test files that Jest runs, with its globals.")
expect.extend(matchers)
const hooks = { beforeAll, beforeEach, afterAll }

export const useMerlon = (options?: StartOptions): Merlon => useMerlonWith(hooks, options)
