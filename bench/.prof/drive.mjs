/** Puts a server under load, from a process of its own. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const CONNECTIONS = 64
const loader = fileURLToPath(new URL('load.mjs', import.meta.url))

/** `perSecond`: at most as many calls are begun. Returns `{ count, seconds, p50, p99 }`, times in ms; throws when anything but 200 was answered. */
export async function load(server, requests, total, { connections = CONNECTIONS, perSecond } = {}) {
  const child = fork(loader)
  child.send({ url: server.url, connections: Math.min(connections, total), requests, total, perSecond })
  const ended = once(child, 'exit').then(([status]) => {
    throw new Error(`the load process ended with status ${status} before it reported`)
  })
  const [result] = await Promise.race([once(child, 'message'), ended])
  ended.catch(() => {})
  const failed = Object.keys(result.statuses).filter((status) => status !== '200')
  if (failed.length > 0) throw new Error(`${server.name} answered ${JSON.stringify(result.statuses)}`)
  return result
}
