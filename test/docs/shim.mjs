/**
 * `merlon`, as pages call it. Everything is the built program, except `merlon start`, which pages run in a terminal of its
 * own: here it goes to the background, on a free port, and the command ends when the server answers. Servers of several
 * nodes on one machine get a port and a data directory each.
 */
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const { MERLON_DOCS_SCRIPT: script, MERLON_DOCS_STATE: state, MERLON_DOCS_PORT: port } = process.env
const START_MS_MAX = 120_000
const args = process.argv.slice(2)

function option(name) {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`))
  return at < 0 ? undefined : args[at].includes('=') ? args[at].split('=')[1] : args[at + 1]
}

if (args[0] === 'start') await start()
else if (args[0] === 'status' && !option('--port') && !option('--data')) run([...args, '--port', port])
else run(args)

function run(words) {
  process.exit(spawnSync(process.execPath, [script, ...words], { stdio: 'inherit' }).status ?? 1)
}

async function start() {
  const node = option('--node')
  const others = join(state, 'nodes')
  mkdirSync(others, { recursive: true })
  if (node && !existsSync(join(others, node)))
    writeFileSync(join(others, node), String(spawnSync('ls', [others]).stdout.toString().split('\n').length - 1))
  const turn = node ? Number(readFileSync(join(others, node), 'utf8')) : 0
  const own = Number(option('--port') ?? Number(port) + turn)
  const words = option('--port') ? [...args] : [...args, '--port', String(own)]
  // The next port, where pages would be served, is the API of the next node.
  if (node && !option('--console-port')) words.push('--console-port', '0')
  const data = words.indexOf('--data')
  if (turn > 0 && data > 0) words[data + 1] += `-${node}`

  await stopped(join(state, `pid-${own}`))
  const log = join(state, `server-${own}.log`)
  writeFileSync(log, '')
  const file = openSync(log, 'a')
  const child = spawn(process.execPath, [script, ...words], { detached: true, stdio: ['ignore', file, file] })
  writeFileSync(join(state, `pid-${own}`), String(child.pid))
  appendFileSync(join(state, 'pids'), `${child.pid}\n`)
  const until = Date.now() + START_MS_MAX
  // The lines about the new account and the address are printed together, once the server answers.
  while (!readFileSync(log, 'utf8').includes('Merlon listens on ')) {
    if (child.exitCode !== null || Date.now() > until) {
      process.stderr.write(readFileSync(log, 'utf8'))
      process.exit(child.exitCode || 1)
    }
    await wait(100)
  }
  const said = readFileSync(log, 'utf8')
  const found = {
    'access-key-id': /\bAKIA[0-9A-Z]{16}\b/.exec(said)?.[0],
    'secret-access-key': /SECRET_ACCESS_KEY=(\S+)/.exec(said)?.[1],
    account: /\b(\d{12})\b/.exec(said)?.[1],
  }
  for (const [name, value] of Object.entries(found)) if (value) writeFileSync(join(state, name), value)
  process.stdout.write(said)
  child.unref()
  process.exit(0)
}

/** A page that starts a server again has ended the one before. */
async function stopped(file) {
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8'))
  try {
    process.kill(pid, 'SIGTERM')
    for (;;) {
      process.kill(pid, 0)
      await wait(50)
    }
  } catch {
    // It has ended.
  }
}
