/** Chunks that have arrived and were not read yet. Reading copies each byte at most once. */
export class ByteQueue {
  #chunks: Buffer[] = []
  /** Where the unread part of the first chunk begins. */
  #start = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#length += chunk.length
  }

  /** `bytes` must not exceed `length`. The result may share memory with a chunk. */
  take(bytes: number): Buffer {
    const first = this.#chunks[0]
    if (first === undefined || bytes === 0) return Buffer.alloc(0)
    const end = this.#start + bytes
    this.#length -= bytes
    if (end < first.length) {
      const part = first.subarray(this.#start, end)
      this.#start = end
      return part
    }
    return this.#takeAcross(bytes)
  }

  #takeAcross(bytes: number): Buffer {
    const parts: Buffer[] = []
    let left = bytes
    let used = 0
    while (left > 0) {
      const chunk = this.#chunks[used]!
      const part = chunk.subarray(this.#start, this.#start + left)
      parts.push(part)
      left -= part.length
      if (this.#start + part.length === chunk.length) {
        used += 1
        this.#start = 0
      } else this.#start += part.length
    }
    this.#chunks.splice(0, used)
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes)
  }
}
