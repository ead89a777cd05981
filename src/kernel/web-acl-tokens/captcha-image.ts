/** The picture of a puzzle: digits that are drawn by strokes, bent and crossed by lines, as a PNG (RFC 2083) of 8-bit grey. */
import { crc32, deflateSync } from 'node:zlib'
import { randomNumbers } from './random-numbers.ts'

const WIDTH = 240
const HEIGHT = 80
const WHITE = 255

type Point = readonly [x: number, y: number]

/** Strokes of the digits in a box of 4 by 6. */
const DIGITS: readonly (readonly (readonly Point[])[])[] = [
  [
    [
      [1, 0],
      [3, 0],
      [4, 2],
      [4, 4],
      [3, 6],
      [1, 6],
      [0, 4],
      [0, 2],
      [1, 0],
    ],
  ],
  [
    [
      [0.5, 1.5],
      [2, 0],
      [2, 6],
    ],
    [
      [0.5, 6],
      [3.5, 6],
    ],
  ],
  [
    [
      [0, 1.5],
      [1, 0],
      [3, 0],
      [4, 1.5],
      [3.5, 3],
      [0, 6],
      [4, 6],
    ],
  ],
  [
    [
      [0, 0],
      [4, 0],
      [2, 2.5],
      [4, 4],
      [3, 6],
      [1, 6],
      [0, 5],
    ],
  ],
  [
    [
      [3, 6],
      [3, 0],
      [0, 4],
      [4, 4],
    ],
  ],
  [
    [
      [4, 0],
      [0.5, 0],
      [0, 3],
      [3, 2.5],
      [4, 4],
      [3, 6],
      [0, 5.5],
    ],
  ],
  [
    [
      [3.5, 0],
      [1, 2],
      [0, 4],
      [1, 6],
      [3, 6],
      [4, 4.5],
      [3, 3],
      [0.5, 3.2],
    ],
  ],
  [
    [
      [0, 0],
      [4, 0],
      [1.5, 6],
    ],
    [
      [1, 3],
      [3.5, 3],
    ],
  ],
  [
    [
      [2, 3],
      [0.5, 1.5],
      [1.2, 0],
      [2.8, 0],
      [3.5, 1.5],
      [2, 3],
      [0, 4.5],
      [1, 6],
      [3, 6],
      [4, 4.5],
      [2, 3],
    ],
  ],
  [
    [
      [3.5, 2.8],
      [1, 3],
      [0, 1.5],
      [1, 0],
      [3, 0],
      [4, 1.5],
      [3.8, 4],
      [2.5, 6],
    ],
  ],
]

export function puzzleImage(digits: string): Buffer {
  const between = randomNumbers()
  const pixels = Buffer.alloc(WIDTH * HEIGHT, WHITE)
  const [phase, depth, length] = [between(0, 6), between(3, 6), between(28, 44)]
  const dot = (x: number, y: number, radius: number, grey: number) => {
    const bent = y + depth * Math.sin(x / length + phase)
    for (let row = Math.ceil(bent - radius); row <= bent + radius; row++)
      for (let column = Math.ceil(x - radius); column <= x + radius; column++)
        if (row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH)
          pixels[row * WIDTH + column] = Math.min(grey, pixels[row * WIDTH + column]!)
  }
  const line = ([x1, y1]: Point, [x2, y2]: Point, radius: number, grey: number) => {
    const steps = Math.ceil(Math.hypot(x2 - x1, y2 - y1))
    for (let step = 0; step <= steps; step++)
      dot(x1 + ((x2 - x1) * step) / steps, y1 + ((y2 - y1) * step) / steps, radius, grey)
  }
  const pitch = (WIDTH - 30) / digits.length
  ;[...digits].forEach((digit, at) => {
    const [size, turn, slant] = [between(6.2, 7.8), between(-0.35, 0.35), between(-0.25, 0.25)]
    const [left, top] = [18 + at * pitch + between(-4, 4), 16 + between(-5, 5)]
    const placed = ([x, y]: Point): Point => {
      const [across, down] = [(x - 2 + slant * (y - 3)) * size, (y - 3) * size]
      return [
        left + 13 + across * Math.cos(turn) - down * Math.sin(turn),
        top + 22 + across * Math.sin(turn) + down * Math.cos(turn),
      ]
    }
    for (const stroke of DIGITS[Number(digit)]!)
      for (let point = 1; point < stroke.length; point++)
        line(placed(stroke[point - 1]!), placed(stroke[point]!), between(1.2, 1.8), 30)
  })
  for (let count = 0; count < 5; count++)
    line([0, between(0, HEIGHT)], [WIDTH, between(0, HEIGHT)], between(0.6, 1.3), between(30, 110))
  for (let count = 0; count < 350; count++) dot(between(0, WIDTH), between(0, HEIGHT), 0.6, between(60, 160))
  return png(pixels)
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  size.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([size, body, sum])
}

function png(pixels: Buffer): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(WIDTH)
  header.writeUInt32BE(HEIGHT, 4)
  header[8] = 8
  // A filter byte of 0 begins each row.
  const rows = Buffer.alloc((WIDTH + 1) * HEIGHT)
  for (let row = 0; row < HEIGHT; row++) pixels.copy(rows, row * (WIDTH + 1) + 1, row * WIDTH, (row + 1) * WIDTH)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
