/**
 * Leaves as little as can be of what went through this process: what was answered lay in strings and buffers, which nobody
 * can wipe one by one. JavaScript gives no guarantee for this; `test/trust/04-nothing-in-clear.test.ts` looks.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Sizes of what the C allocator hands out: strings of requests and answers, keys, socket buffers. */
const SIZES = [
  16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 1_536, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536,
]
const BYTES_A_SIZE = 8 * 1024 * 1024
const COUNT_MAX = 40_000

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
  await collect()
  flood()
  await collect()
}

/** Takes what the C allocator has free, and zeros it: memory given back is handed out again, least first. */
function flood(): void {
  const held: Buffer[][] = []
  for (const size of SIZES) {
    const count = Math.min(COUNT_MAX, Math.ceil(BYTES_A_SIZE / size))
    held.push(Array.from({ length: count }, () => Buffer.allocUnsafeSlow(size).fill(0)))
  }
  held.length = 0
}
