/** Packages unpacked on this node: by their digest, so that the same code is unpacked once. Gone with the server. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { unpack } from './zip.ts'

const KEPT_MAX = 32

export class Packages {
  readonly #folder: string
  /** In order of their last use: how many run each. */
  readonly #kept = new Map<string, number>()
  readonly #coming = new Map<string, Promise<void>>()

  /** What an earlier server left is taken away. */
  constructor(folder: string) {
    this.#folder = folder
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /** Keeps the package in place while `work` runs on its folder. `sha256` is hex. */
  async during<T>(sha256: string, zip: () => Promise<Buffer>, work: (folder: string) => Promise<T>): Promise<T> {
    const users = this.#kept.get(sha256) ?? 0
    this.#kept.delete(sha256)
    this.#kept.set(sha256, users + 1)
    try {
      await this.#present(sha256, zip)
      return await work(this.#at(sha256))
    } finally {
      this.#kept.set(sha256, this.#kept.get(sha256)! - 1)
      this.#trim()
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #at(sha256: string): string {
    return join(this.#folder, sha256)
  }

  async #present(sha256: string, zip: () => Promise<Buffer>): Promise<void> {
    let coming = this.#coming.get(sha256)
    if (!coming) {
      if (existsSync(this.#at(sha256))) return
      coming = this.#unpack(sha256, zip).finally(() => this.#coming.delete(sha256))
      this.#coming.set(sha256, coming)
    }
    await coming
  }

  /** Half an unpacked package is never seen. */
  async #unpack(sha256: string, zip: () => Promise<Buffer>): Promise<void> {
    const draft = join(this.#folder, randomUUID())
    try {
      const bytes = await zip()
      mkdirSync(draft, { mode: 0o755 })
      await unpack(bytes, draft)
      renameSync(draft, this.#at(sha256))
    } finally {
      rmSync(draft, { recursive: true, force: true })
    }
  }

  #trim(): void {
    for (const [sha256, users] of this.#kept) {
      if (this.#kept.size <= KEPT_MAX) return
      if (users > 0) continue
      this.#kept.delete(sha256)
      rmSync(this.#at(sha256), { recursive: true, force: true })
    }
  }
}
