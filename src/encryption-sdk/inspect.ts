/** What a message says of itself: the header, without any key. Nothing of it is authenticated. */
import {
  BODY_LENGTH_MAX_DEFAULT,
  DATA_KEYS_MAX_DEFAULT,
  HEADER_LENGTH_MAX_DEFAULT,
  infoOf,
  type MessageInfo,
} from './client.ts'
import { ByteQueue } from './message/byte-queue.ts'
import { readHeader } from './message/header.ts'
import { Reader } from './message/reading.ts'

export interface Inspection extends MessageInfo {
  /** Bytes of the header. */
  readonly headerLength: number
}

/** Enough for the header of every message that this library writes by default. */
export const INSPECT_BYTES = Math.min(HEADER_LENGTH_MAX_DEFAULT, BODY_LENGTH_MAX_DEFAULT)

/**
 * Reads the header of a message; `start` may be only the beginning of it. Throws `MalformedMessage` for what is no message.
 *
 * @example
 * inspect(message).encryptedDataKeys.map(({ providerInfo }) => providerInfo)
 */
export function inspect(start: Uint8Array): Inspection {
  const queue = new ByteQueue()
  queue.push(Buffer.from(start.buffer, start.byteOffset, start.byteLength))
  const reader = new Reader(
    readHeader({ maxEncryptedDataKeys: Math.max(DATA_KEYS_MAX_DEFAULT, 0xffff), maxHeaderLength: INSPECT_BYTES }),
    queue,
  )
  reader.run(true)
  reader.end(start.length)
  const header = reader.result!.value
  return { ...infoOf(header), headerLength: header.length }
}
