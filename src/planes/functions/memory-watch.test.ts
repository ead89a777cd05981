/** Control groups on a copy of the kernel's files, and processes of this machine added up. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cgroupOf } from './memory-watch.ts'
import { usageOf } from './process-tree.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'merlon-cgroup-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function place(self: string, controllers: string) {
  mkdirSync(join(root, 'own'))
  writeFileSync(join(root, 'self'), self)
  writeFileSync(join(root, 'own', 'cgroup.subtree_control'), controllers)
  return { root, self: join(root, 'self') }
}

describe('a control group', () => {
  test('bounds memory and tasks, and is entered before the command begins', async () => {
    const group = cgroupOf(128, place('0::/own\n', 'cpu memory pids\n'))!
    const [name] = readdirSync(join(root, 'own')).filter((entry) => entry.startsWith('merlon-fn-'))
    const read = (file: string) => readFileSync(join(root, 'own', name!, file), 'utf8')
    expect(read('memory.max')).toBe(String(256 << 20))
    expect(read('memory.swap.max')).toBe('0')
    expect(read('memory.oom.group')).toBe('1')
    expect(Number(read('pids.max'))).toBeLessThanOrEqual(512)

    const [program, ...words] = [...group.entry, process.execPath, '-e', 'process.stdout.write(String(process.pid))']
    const child = spawn(program!, words)
    const [pid] = await once(child.stdout, 'data')
    expect(read('cgroup.procs').trim()).toBe(String(pid))
    await once(child, 'close')
  })
  test.each([
    ['where this process may not divide its own', '0::/own\n', 'cpu\n'],
    ['in the hierarchies of before', '4:memory:/own\n', 'memory pids\n'],
    ['where there is no such folder', '0::/other\n', 'memory pids\n'],
  ])('is not made %s', (_where, self, controllers) => {
    expect(cgroupOf(128, place(self, controllers))).toBeUndefined()
    expect(readdirSync(join(root, 'own'))).toEqual(['cgroup.subtree_control'])
  })
})

test('the memory of a process counts with that of its children, by whichever thread they were made', async () => {
  const script =
    'import os,sys,time\nb=bytearray(b"x")*(64<<20)\nif os.fork()==0: c=bytearray(b"y")*(64<<20)\nprint("ready",flush=True)\ntime.sleep(60)'
  const child = spawn('python3', ['-c', script], { detached: true })
  try {
    let said = ''
    for await (const chunk of child.stdout) if ((said += chunk).split('ready').length > 2) break
    const { bytes, processes } = usageOf(child.pid!)
    expect(processes).toBe(2)
    expect(bytes).toBeGreaterThan(180 << 20)
  } finally {
    process.kill(-child.pid!, 'SIGKILL')
  }
  expect(usageOf(0x3fffffff)).toEqual({ processes: 1, bytes: 0 })
})
