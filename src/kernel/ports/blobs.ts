/**
 * The blobs port: bytes that are too large for rows. Written once under a new id, never changed; provided by the objects
 * plane.
 *
 * @example
 * await call.use(blobs).put({ id, account: call.account }, bytes)   // then commit the row that names `id`
 */
import { port } from './port.ts'

/** Where the bytes of an object are stored, and whose key seals them. */
export interface BlobPlace {
  readonly id: string
  readonly account: string
}

/** Bytes too large for rows. Written once under a new id, never changed; provided by the objects plane. */
export interface BlobsPort {
  /** Durable when it returns: the row that names it may then be committed. */
  put(place: BlobPlace, bytes: Uint8Array): Promise<void>
  /** Throws when it is not there, or was changed. By their size, only so many are opened at a time. */
  get(place: BlobPlace, bytes: number): Promise<Buffer>
  /** What is not there is deleted already. */
  delete(id: string): Promise<void>
  /** The ids of what was written longer ago: among them what no row names. */
  older(ageMs: number): Promise<readonly string[]>
}

export const blobs = port<BlobsPort>('blobs')
