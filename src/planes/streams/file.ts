/** JSON lines in a file of the operator's: on disk before the stream goes on, reopened when it was rotated away. */
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import type { Sink } from './sink.ts'

const { O_APPEND, O_CREAT, O_RDWR } = constants
const NEWLINE = 0x0a

export function fileSink(path: string): Sink {
  let handle: FileHandle | undefined

  const current = async (): Promise<FileHandle> => {
    const there = await stat(path).catch(() => undefined)
    if (handle && (!there || there.ino !== (await handle.stat()).ino)) {
      await handle.close()
      handle = undefined
    }
    handle ??= await open(path, O_APPEND | O_CREAT | O_RDWR, 0o600)
    return handle
  }

  return {
    send: async (lines) => {
      const file = await current()
      // A crash may have left a line without its end; what follows must not become a part of it.
      const { size } = await file.stat()
      const last = size === 0 ? NEWLINE : (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0]
      const text = lines.map(({ body }) => `${body}\n`).join('')
      await file.appendFile(last === NEWLINE ? text : `\n${text}`)
      await file.datasync()
    },
    close: async () => {
      await handle?.close()
      handle = undefined
    },
  }
}
