/**
 * Long computations beside other work: a generator whose steps take some milliseconds at most is run to its end, and the event loop
 * has its turn in between.
 *
 * @example
 * const compiled = await betweenTurns(compileInSteps(acl))
 */

/** Milliseconds of steps between two turns of the event loop. */
const TURN_MS = 5

export async function betweenTurns<T>(steps: Generator<void, T>): Promise<T> {
  let turnBegan = performance.now()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (performance.now() - turnBegan < TURN_MS) continue
    await new Promise<void>((resume) => setImmediate(resume))
    turnBegan = performance.now()
  }
}

/** The same at once, where nothing else waits. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
