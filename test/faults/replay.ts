/** Checks saved rounds again: the same file gives the same result, on any machine, without a server. */
import { violations } from './checker.ts'
import { loadLog } from './history.ts'

/** Returns the exit status: 0 when nothing was wrong, 1 when something was. */
export function replay(files: readonly string[], say: (line: string) => void): number {
  let wrong = 0
  for (const file of files) {
    const { seed, round, store, nodes, disturbances, operations } = loadLog(file)
    say(`${file}: seed ${seed}, round ${round}, ${nodes.length} nodes on ${store}, ${operations.length} operations`)
    const began = Math.min(...operations.map(({ invokedAt }) => invokedAt))
    const ms = (at: number | undefined) => (at === undefined ? '…' : `${Math.round((at - began) / 1_000)} ms`)
    for (const each of disturbances)
      say(`  ${each.fault} of ${each.target}: ${ms(each.beganAt)} to ${ms(each.endedAt)}`)
    const found = violations(operations)
    for (const { register, property, text, witness } of found) {
      say(`  ${register}: ${property}: ${text}`)
      for (const each of witness) {
        const { node, client, action, value, read, outcome, invokedAt, returnedAt } = each
        const about = value ?? (read === undefined ? '' : `→ ${read ?? 'nothing'}`)
        say(`    ${ms(invokedAt)} to ${ms(returnedAt)} ${client} at ${node}: ${action} ${about} ${outcome}`)
      }
    }
    if (found.length === 0) say('  nothing is wrong')
    wrong += found.length
  }
  return wrong > 0 ? 1 : 0
}
