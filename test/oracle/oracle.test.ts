/**
 * Our engine beside iam-simulate over random decisions: they agree, or a rule says why not. MERLON_ORACLE_CASES sets how
 * many.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { type Case, sample } from './cases.ts'
import { RULES, type Rule } from './differences.ts'
import { allows } from './ours.ts'

const COUNT = Number(process.env['MERLON_ORACLE_CASES'] ?? 100_000)
const PEERS = 2

/** A decision a case, in order. */
async function peer(cases: readonly Case[]): Promise<readonly string[]> {
  const script = fileURLToPath(new URL('./peer.mjs', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const feeding = (async () => {
    for (const one of cases) if (!child.stdin.write(`${JSON.stringify(one)}\n`)) await once(child.stdin, 'drain')
    child.stdin.end()
  })()
  const answers: string[] = []
  for await (const line of createInterface({ input: child.stdout })) answers.push(line)
  await feeding
  return answers
}

let cases: readonly Case[]
let theirs: readonly string[]
beforeAll(async () => {
  cases = sample(COUNT)
  const size = Math.ceil(cases.length / PEERS)
  const parts = Array.from({ length: PEERS }, (_, i) => cases.slice(i * size, (i + 1) * size))
  theirs = (await Promise.all(parts.map(peer))).flat()
}, 1_200_000)

test('The cases are understood by the peer, and both answers are common among them', () => {
  expect(theirs).toHaveLength(COUNT)
  expect(theirs.filter((answer) => answer.startsWith('error'))).toEqual([])
  const allowed = theirs.filter((answer) => answer === 'Allowed').length / COUNT
  expect(allowed).toBeGreaterThan(0.05)
  expect(allowed).toBeLessThan(0.95)
})

test('Every difference has its rule, and every rule has its difference', () => {
  const explained = new Map<string, number>(RULES.map(({ name }) => [name, 0]))
  const unexplained: object[] = []
  let agreed = 0
  for (const [i, one] of cases.entries()) {
    const answer = theirs[i] === 'Allowed'
    if (allows(one) === answer) {
      agreed++
      continue
    }
    const rules = explanation(one, answer)
    if (rules === undefined) unexplained.push({ theirs: theirs[i], ...one })
    for (const { name } of rules ?? []) explained.set(name, explained.get(name)! + 1)
  }
  console.log(
    `${COUNT} decisions: ${agreed} alike\n${[...explained].map(([name, n]) => `${String(n).padStart(7)}  ${name}`).join('\n')}`,
  )

  expect(unexplained.slice(0, 3).map((one) => JSON.stringify(one))).toEqual([])
  expect([...explained].filter(([, n]) => n === 0)).toEqual([])
})

/** The fewest rules under whose readings we answer as the peer. */
function explanation(one: Case, answer: boolean): readonly Rule[] | undefined {
  const bearing = RULES.filter(({ rewrite }) => JSON.stringify(rewrite(one)) !== JSON.stringify(one))
  const subsets = Array.from({ length: 2 ** bearing.length - 1 }, (_, bits) =>
    bearing.filter((__, i) => (bits + 1) & (1 << i)),
  )
  return subsets
    .sort((a, b) => a.length - b.length)
    .find((rules) => allows(rules.reduce((so, { rewrite }) => rewrite(so), one)) === answer)
}
