/**
 * The sound of a puzzle, for those who cannot see its picture: groups of tones, one group a digit, as many tones as the digit says. WAV,
 * 8 bits, mono. Pitches, lengths and pauses vary, and noise lies under them.
 */
import { randomNumbers } from './random-numbers.ts'

const RATE = 8_000
const SILENCE = 128

export function puzzleSound(digits: string): Buffer {
  const between = randomNumbers()
  const parts: Buffer[] = []
  const noise = (count: number) => {
    const samples = Buffer.allocUnsafe(count)
    for (let at = 0; at < count; at++) samples[at] = SILENCE + between(-7, 7)
    return samples
  }
  const tone = () => {
    const samples = noise(Math.round(RATE * between(0.11, 0.17)))
    const pitch = between(420, 760)
    for (let at = 0; at < samples.length; at++) {
      const fade = Math.min(1, at / 160, (samples.length - at) / 160)
      samples[at] = samples[at]! + 80 * fade * Math.sin((2 * Math.PI * pitch * at) / RATE)
    }
    return samples
  }
  parts.push(noise(RATE / 2))
  for (const digit of digits) {
    for (let count = 0; count < Number(digit); count++) parts.push(tone(), noise(Math.round(RATE * between(0.1, 0.16))))
    parts.push(noise(Math.round(RATE * between(0.7, 0.9))))
  }
  const data = Buffer.concat(parts)
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + data.length, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(RATE, 24)
  header.writeUInt32LE(RATE, 28)
  header.writeUInt16LE(1, 32)
  header.writeUInt16LE(8, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(data.length, 40)
  return Buffer.concat([header, data])
}
