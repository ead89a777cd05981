/**
 * Leaves as little as possible of what went through this process: responses were in strings and buffers, which cannot
 * be wiped one by one. JavaScript gives no guarantee for this; `test/trust/04-nothing-in-clear.test.ts` searches the
 * memory.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'

/**
 * Sizes of what the C allocator hands out: strings of requests and answers, keys, socket buffers. It keeps the small ones
 * apart in steps of 16 bytes.
 */
const SMALL = Array.from({ length: 64 }, (_, n) => 24 + 16 * n)
const SIZES = [...SMALL, 1_536, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536]
const BYTES_A_SIZE = 1024 * 1024
const COUNT_MAX = 40_000
/** 4 KB each: more than twice the most that the young generation holds. */
const YOUNG_ARRAYS = 20_000
/**
 * The allocator keeps an arena for each thread, and what one thread took another may return to it: requests have been
 * there. New threads get the arenas of those that have ended.
 */
const ARENAS = 8
const BYTES_A_SIZE_OF_ARENA = 96 * 1024
const SIZES_OF_ARENA = SIZES.filter((size) => size <= 16_384)

export async function forgetMemory(): Promise<void> {
  setFlagsFromString('--expose-gc')
  // What is freed is overwritten with zeros.
  setFlagsFromString('--clear-free-memory')
  const gc: unknown = runInNewContext('gc')
  const collect = async () => {
    // Once to find what is dead, then for what its finalisers let go of.
    for (let n = 0; n < 3 && typeof gc === 'function'; n++) {
      gc()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  // Twice, since what is let go of the first time is found by the second.
  for (let n = 0; n < 2; n++) {
    await collect()
    overwriteYoung()
    flood(SIZES, BYTES_A_SIZE)
    await floodArenas()
  }
  await collect()
}

/** Where objects begin their life nothing is cleared when they have moved on or died: new ones go over it. */
function overwriteYoung(): void {
  let last: readonly number[] = []
  for (let n = 0; n < YOUNG_ARRAYS; n++) last = new Array<number>(500).fill(last.length)
}

/** Takes the memory that the C allocator has free, and zeros it: freed memory is allocated again, smallest first. */
function flood(sizes: readonly number[], bytesASize: number): void {
  const held: Buffer[][] = []
  for (const size of sizes) {
    const count = Math.min(COUNT_MAX, Math.ceil(bytesASize / size))
    held.push(Array.from({ length: count }, () => Buffer.allocUnsafeSlow(size).fill(0)))
  }
  held.length = 0
}

/** All at once, so that each has another arena. */
async function floodArenas(): Promise<void> {
  const work = `const COUNT_MAX = ${COUNT_MAX}; (${flood})(${JSON.stringify(SIZES_OF_ARENA)}, ${BYTES_A_SIZE_OF_ARENA})
    const { parentPort } = require('node:worker_threads')
    parentPort.once('message', () => parentPort.close())
    parentPort.postMessage('done')`
  const workers = Array.from({ length: ARENAS }, () => new Worker(work, { eval: true }))
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  await Promise.all(workers.map((worker) => worker.terminate()))
}
