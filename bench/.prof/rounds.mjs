/**
 * Rounds: each candidate's turn in each, in changing order, so that a noisy machine is noisy for all; medians are
 * reported.
 */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** `measure(subject, round)` answers numbers by name; returns their medians, one object a subject. */
export async function interleaved(subjects, rounds, measure) {
  const found = subjects.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const order = subjects.map((_, i) => i)
    if (round % 2 === 1) order.reverse()
    for (const i of order) found[i].push(await measure(subjects[i], round))
  }
  return found.map((results) =>
    Object.fromEntries(
      Object.keys(results[0] ?? {}).map((name) => [name, median(results.map((result) => result[name]))]),
    ),
  )
}
