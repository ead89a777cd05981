/** Temporary directories, and what is left of processes that were killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sweepTemporary, temporaryFolder } from './temporary.ts'

let folder: string
const { TMPDIR } = process.env
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'merlon-test-'))
  process.env.TMPDIR = folder
})
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
  rmSync(folder, { recursive: true })
})

test('what a killed process has left is swept, and nothing else', async () => {
  const space = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))![0]
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  child.kill('SIGKILL')
  await once(child, 'close')
  const ours = temporaryFolder('functions')
  const put = (name: string) => {
    const path = join(folder, name)
    mkdirSync(path)
    writeFileSync(join(path, 'code.py'), 'secret')
    return path
  }
  const left = [
    put(`merlon-functions-${space}-${child.pid}-123-abcdef`),
    put(`merlon-fn-${space}-${child.pid}-123-abcdeg`),
    // The PID is in use again, by this process, which started at another time.
    put(basename(ours).replace(/-\d+-[A-Za-z0-9]{6}$/, '-1-abcdeh')),
  ]
  const kept = [
    ours,
    temporaryFolder('fn'),
    put(`merlon-functions-1-${child.pid}-123-abcdef`),
    put('merlon-functions-abcdef'),
    put('merlon-something-else'),
  ]
  const outside = mkdtempSync(join(folder, 'outside-'))
  symlinkSync(outside, join(folder, `merlon-fn-${space}-${child.pid}-123-linked`))
  writeFileSync(join(outside, 'kept'), '')

  sweepTemporary()

  expect(left.filter((path) => existsSync(path))).toEqual([])
  expect(kept.filter((path) => !existsSync(path))).toEqual([])
  expect(existsSync(join(outside, 'kept'))).toBe(true)
})
