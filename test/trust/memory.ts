/** The whole writable memory of a process of ours, as a debugger with the same rights would dump it. Linux only. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const PIECE_BYTES = 16 * 1024 * 1024

export function memoryOf(pid: number): Buffer {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const pieces: Buffer[] = []
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to, rights] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? []
      if (!from || !rights?.startsWith('rw') || /\[(vvar|vsyscall)/.test(line)) continue
      for (let at = BigInt(`0x${from}`); at < BigInt(`0x${to}`); at += BigInt(PIECE_BYTES)) {
        const piece = readPiece(memory, at, Number(BigInt(`0x${to}`) - at))
        if (piece) pieces.push(piece)
      }
    }
  } finally {
    closeSync(memory)
  }
  return Buffer.concat(pieces)
}

/** undefined for reserved pages that were never touched. */
function readPiece(memory: number, at: bigint, length: number): Buffer | undefined {
  const buffer = Buffer.alloc(Math.min(length, PIECE_BYTES))
  try {
    return buffer.subarray(0, readSync(memory, buffer, 0, buffer.length, at))
  } catch {
    return undefined
  }
}
