/** What a function wrote: the end of it. */

/** Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (LogResult) */
const BYTES_MAX = 4096

export class LogTail {
  #held: Buffer = Buffer.alloc(0)

  add(chunk: Buffer): void {
    const whole = Buffer.concat([this.#held, chunk.subarray(-BYTES_MAX)])
    this.#held = whole.length > BYTES_MAX ? Buffer.from(whole.subarray(-BYTES_MAX)) : whole
  }

  line(text: string): void {
    this.add(Buffer.from(`${text}\n`))
  }

  bytes(): Buffer {
    return this.#held
  }
}
