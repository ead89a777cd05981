/** A process that could expose its memory is distinguished from one that could not. */
import { describe, expect, test } from 'vitest'
import { refuseUnsafe, unsafeIn } from './safe-process.ts'

const limits = (core: string) =>
  `Limit   Soft Limit   Hard Limit   Units\nMax core file size        ${core}      unlimited   bytes\n`
const safe = { execArgv: [], environment: {}, limits: limits('0') }

describe('a process', () => {
  test('without hooks and core dumps is safe, also where limits are unknown', () => {
    expect(unsafeIn(safe)).toEqual([])
    expect(unsafeIn({ ...safe, limits: undefined })).toEqual([])
    expect(() => refuseUnsafe(safe)).not.toThrow()
  })

  test.each([
    '--inspect',
    '--inspect=0.0.0.0:9229',
    '--inspect-brk',
    '--heapsnapshot-signal=SIGUSR2',
    '--heapsnapshot-near-heap-limit=3',
    '--heap-prof',
    '--cpu-prof',
    '--report-on-signal',
    '--require',
    '-r',
    '--import=./hook.mjs',
    '--loader',
    '--expose-gc',
  ])('under %s is refused', (flag) => {
    expect(() => refuseUnsafe({ ...safe, execArgv: [flag] })).toThrow('MERLON_UNSAFE_PROCESS: node runs with -')
  })

  test.each(['--max-old-space-size=512', '--enable-source-maps', '--no-warnings'])('under %s is not', (flag) => {
    expect(unsafeIn({ ...safe, execArgv: [flag] })).toEqual([])
  })

  test('with NODE_OPTIONS is refused, without quoting them, and an empty one is none', () => {
    const options = (value: string) => unsafeIn({ ...safe, environment: { NODE_OPTIONS: value } })

    expect(options('--require /tmp/hook.js')).toEqual(['NODE_OPTIONS is set'])
    expect(options('')).toEqual([])
  })

  test.each(['unlimited', '1024'])('that may dump %s core is refused, and the error says how to fix it', (core) => {
    expect(() => refuseUnsafe({ ...safe, limits: limits(core) })).toThrow('LimitCORE=0')
  })
})
