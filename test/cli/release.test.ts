/** The release as people install it: from its tarball into an empty directory, on every Node that it supports. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NODES, pack, smoke } from '../../tools/release-smoke.mjs'
import { temporaryFolder } from '../process.ts'

const INSTALL_MS_MAX = 600_000

const folder = temporaryFolder()
let tarball: string

beforeAll(() => {
  tarball = pack(folder)
}, INSTALL_MS_MAX)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each(NODES)(
  'Node %s runs the demonstration, a TypeScript and a CommonJS consumer, and the Vitest example',
  (version) => {
    expect(smoke(tarball, version).shown).toMatch(/^merlon \d+\.\d+\.\d+$/)
  },
  INSTALL_MS_MAX,
)
