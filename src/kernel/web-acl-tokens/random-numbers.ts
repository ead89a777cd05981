/** Many random numbers for one puzzle: drawn from the system at once. */
import { randomBytes } from 'node:crypto'

const NUMBERS = 4_096

/** A function that returns a number between two, another one each time; after 4,096 it begins again. */
export function randomNumbers(): (from: number, to: number) => number {
  const bytes = randomBytes(2 * NUMBERS)
  let drawn = 0
  return (from, to) => from + ((to - from) * bytes.readUInt16BE(2 * (drawn++ % NUMBERS))) / 65_535
}
