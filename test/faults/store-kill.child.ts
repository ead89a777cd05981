/** The victim of `store-kill.test.ts`: works on a store as fast as it can, and says on stdout what it was promised. */
import { writeSync } from 'node:fs'
import { openStore } from '../../src/store/sqlite.ts'

const [file = '', writerScript] = process.argv.slice(2)
const store = await openStore({ file, ...(writerScript && { writerScript: new URL(writerScript) }) })

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Synchronously: a line that left this process was read by a customer. A full pipe is waited for. */
function say(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(pause, 0, 0, 1)
    }
  }
}

store.subscribe(({ revision }) => say(`revision ${revision}`))

async function work(lane: number): Promise<never> {
  for (;;) {
    const n = await store.run(async (unit) => {
      const next = ((await unit.get<{ n: number }>(`counter/${lane}`))?.n ?? 0) + 1
      unit.put(`counter/${lane}`, { n: next })
      unit.put(`row/${lane}.${next}`, { padding: 'x'.repeat(200) })
      unit.append({
        id: `${lane}.${next}`,
        account: '111122223333',
        region: 'us-east-1',
        timeMs: next,
        attributes: [['Lane', `${lane}`]],
        body: '{}',
      })
      return next
    })
    say(`row ${lane}.${n}`)
  }
}

await Promise.all(Array.from({ length: 16 }, (_, lane) => work(lane)))
