/** `--encode` and `--decode`: base64 as a stream. */
import { Transform } from 'node:stream'

export function base64Encoder(): Transform {
  let rest = Buffer.alloc(0)
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const bytes = Buffer.concat([rest, chunk])
      const whole = bytes.length - (bytes.length % 3)
      rest = bytes.subarray(whole)
      done(null, bytes.toString('base64', 0, whole))
    },
    flush: (done) => done(null, rest.toString('base64')),
  })
}

/** Line breaks are skipped; anything else that is not base64 is an error. */
export function base64Decoder(): Transform {
  let rest = ''
  let ended = false
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = rest + chunk.toString('latin1').replace(/[\r\n]/g, '')
      const whole = text.length - (text.length % 4)
      rest = text.slice(whole)
      const quads = text.slice(0, whole)
      if ((ended && text !== '') || !/^[A-Za-z0-9+/]*={0,2}$/.test(quads))
        return done(new Error('The input is not base64.'))
      ended = quads.endsWith('=')
      done(null, Buffer.from(quads, 'base64'))
    },
    flush: (done) => done(rest === '' ? null : new Error('The input is not base64: it ends too early.')),
  })
}
