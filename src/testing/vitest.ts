/**
 * Vitest: matchers, and a server for the tests of a file.
 *
 * @example
 * import { useMerlon } from 'merlon/vitest'
 * const merlon = useMerlon()
 * test('a user without a policy may not list keys', async () => { … expect(await merlon.events()).toHaveDenied({ action: 'kms:ListKeys' }) })
 */
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import type { Merlon } from './connect.ts'
import { type MerlonMatchers, matchers } from './matchers.ts'
import type { StartOptions } from './start.ts'
import { useMerlonWith } from './use-merlon.ts'

expect.extend(matchers)

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: as Vitest declares it
  interface Matchers<T = any> extends MerlonMatchers<T> {}
}

export const useMerlon = (options?: StartOptions): Merlon => useMerlonWith({ beforeAll, beforeEach, afterAll }, options)
