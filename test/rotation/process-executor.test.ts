/** The walls of the sandbox, by the real bubblewrap, Python and Node.js. Left out, aloud, where there is no bubblewrap. */
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FunctionRun } from '../../src/kernel/ports/functions.ts'
import { readEgress } from '../../src/planes/functions/egress.ts'
import { type FunctionHost, functionHost } from '../../src/planes/functions/host.ts'
import { targetsOf } from '../../src/planes/functions/process-executor.ts'
import { answerOf, packageOf, runOf } from '../../src/planes/functions/runs.fixture.ts'
import { sandboxRefusal } from '../../src/planes/functions/sandbox.ts'
import { zipOf } from '../zip.ts'

const refusal = sandboxRefusal()
if (refusal !== undefined) console.warn(`LEFT OUT: the tests of the sandbox. ${refusal}`)

const PYTHON = 'python3.11'
const NODE = 'nodejs20.x'
const hosts: FunctionHost[] = []

/** Other tests run functions at the same time, and have theirs in the machine's. */
const temporary = mkdtempSync(join(tmpdir(), 'merlon-own-'))
const { TMPDIR } = process.env
beforeAll(() => {
  process.env.TMPDIR = temporary
})
afterAll(async () => {
  for (const host of hosts) await host.close()
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
  rmSync(temporary, { recursive: true })
})

function hostWith(egress = ''): FunctionHost {
  const host = functionHost({
    handler: async ({ path }) => ({ status: 200, headers: {}, body: `asked for ${path}` }),
    now: () => Date.now(),
    egress: readEgress(egress),
    process: true,
  })
  hosts.push(host)
  return host
}

/** Of one file, whose suffix goes with the runtime. */
async function ran(text: string, more: Partial<FunctionRun> & { runtime?: string } = {}, host = hosts[0]!) {
  const { runtime = PYTHON, ...rest } = more
  const file = runtime === PYTHON ? 'index.py' : 'index.mjs'
  return answerOf(await host.run(runOf({ ...rest, code: packageOf(zipOf({ [file]: text }), runtime) })))
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

describe.skipIf(refusal !== undefined)('A process function', () => {
  beforeAll(() => void hostWith())

  test('has nothing of the environment but its own', async () => {
    const { answer } = await ran('import os\ndef handler(event, context): return dict(os.environ)', {
      environment: { COLOUR: 'red' },
    })

    expect(answer).toMatchObject({
      COLOUR: 'red',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'of-the-role',
      AWS_SESSION_TOKEN: 'token-of-the-role',
      AWS_LAMBDA_FUNCTION_NAME: 'f',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      LAMBDA_TASK_ROOT: '/var/task',
      _HANDLER: 'index.handler',
    })
    const foreign = Object.keys(answer).filter(
      (name) => !/^(AWS_|LAMBDA_|_HANDLER|COLOUR|SECRETS_MANAGER_ENDPOINT)/.test(name),
    )
    expect(foreign.sort()).toEqual(['HOME', 'LANG', 'PATH', 'TZ'].concat(answer.LC_CTYPE ? ['LC_CTYPE'] : []).sort())
  })

  test("shows neither its credential nor its variables to this machine's list of processes", async () => {
    const running = ran('import time\ndef handler(event, context): time.sleep(1.5)', {
      environment: { PASSWORD_OF_MINE: 'hunter2-hunter2' },
    })
    const seen: string[] = []
    let done = false
    const ended = running.finally(() => {
      done = true
    })
    while (!done) {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
          seen.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
        } catch {
          // It has ended.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }

    expect((await ended).error).toBeUndefined()
    // The look was worth something: the sandbox was among them.
    expect(seen.some((line) => line.includes('bwrap') && line.includes('/var/task'))).toBe(true)
    expect(seen.filter((line) => /of-the-role|hunter2-hunter2/.test(line))).toEqual([])
  })

  test('cannot bend the programs that build its sandbox', async () => {
    const trap = { LD_PRELOAD: '/var/task/trap.so', LD_AUDIT: '/var/task/trap.so', PATH: '/var/task' }

    const { log } = await ran('def handler(event, context): return 1', { environment: trap })

    // Only what runs inside looks for it: once for each program there, and bubblewrap is none of them.
    expect(log).not.toMatch(/bwrap/)
  })

  test('reads of the system no more than programs and certificates', async () => {
    const { answer } = await ran(`
import os
def handler(event, context):
    return {'/': sorted(os.listdir('/')), 'etc': sorted(os.listdir('/etc')), 'ssl': os.listdir('/etc/ssl'), 'run': os.listdir('/run')}`)

    const known = ['bin', 'dev', 'etc', 'lib', 'lib32', 'lib64', 'libx32', 'proc', 'run', 'sbin', 'tmp', 'usr', 'var']
    const folders: string[] = answer['/']
    // Python and Node.js may be outside of `/usr`: their directories exist, and nothing else on the way.
    expect(folders.filter((name) => !known.includes(name) && !['root', 'opt', 'home', 'nix'].includes(name))).toEqual(
      [],
    )
    expect(answer.ssl).toEqual(['certs'])
    expect(answer.run).toEqual(['merlon'])
    for (const secret of ['shadow', 'ssh', 'resolv.conf', 'machine-id']) expect(answer.etc).not.toContain(secret)
  })

  test('writes nowhere but in /tmp, and there no more than it has', async () => {
    const { answer } = await ran(
      `
def tried(path, size=1):
    try:
        with open(path, 'wb') as file:
            for _ in range(size): file.write(b'x' * 1048576)
        return 'written'
    except OSError as error: return error.strerror
def handler(event, context):
    return [tried(p) for p in ('/x', '/dev/x', '/run/x', '/var/task/x', '/var/runtime/x', '/usr/x', '/etc/x')] + [
        tried('/tmp/x', 4), tried('/tmp/y', 20), tried('/dev/shm/x', 20)]`,
      { storageMb: 16 },
    )

    const [tmp, ...tooMuch] = answer.slice(7)
    expect(answer.slice(0, 7).filter((said: string) => !/Read-only|Permission/.test(said))).toEqual([])
    expect(tmp).toBe('written')
    for (const said of tooMuch) expect(said).toMatch(/No space left|File too large/)
  })

  test.each([
    [PYTHON, "def handler(event, context): return len('x' * (900 * 1024 * 1024))"],
    [
      NODE,
      'export const handler = () => { const held = []; for (let i = 0; i < 900; i++) held.push(Buffer.alloc(1048576, 1)); return held.length }',
    ],
  ])('of %s has so much memory and no more', async (runtime, text) => {
    const { error } = await ran(text, { runtime, timeoutMs: 20_000 })

    expect(error).toBe('Unhandled')
  })

  test('is an unprivileged user, without any rights over its own sandbox', async () => {
    const { answer } = await ran(`
import os, re, subprocess
def handler(event, context):
    status = open('/proc/self/status').read()
    mount = subprocess.run(['mount', '-t', 'tmpfs', 'x', '/var/task'], capture_output=True).returncode
    deeper = subprocess.run(['unshare', '--user', '--map-root-user', 'true'], capture_output=True).returncode
    return [os.getuid(), os.getgid(), re.search('CapEff:\\t(.*)', status)[1], mount != 0, deeper != 0]`)

    expect(answer).toEqual([65534, 65534, '0000000000000000', true, true])
  })

  test('is ended with all of its children when its time is up', async () => {
    const marker = `merlon-test-${process.pid}-${Date.now()}`
    const { error, answer } = await ran(
      `
import subprocess, time
def handler(event, context):
    subprocess.Popen(['/bin/sh', '-c', 'trap "" TERM HUP; exec -a ${marker} sleep 300 || sleep 300', '${marker}'], start_new_session=True)
    time.sleep(300)`,
      { timeoutMs: 700 },
    )

    expect(error).toBe('Unhandled')
    expect(answer.errorMessage).toMatch(/ Task timed out after 0\.70 seconds$/)
    const lines = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        } catch {
          return ''
        }
      })
    expect(lines.filter((line) => line.includes(marker))).toEqual([])
  })

  test.each([
    ['forks eight children of 250 MB', '[child() for n in range(8)]'],
    ['forks a chain of them', 'chain(8)'],
    ['shares its memory with children', 'shared()'],
    ['has too many processes', '[os.fork() == 0 and time.sleep(60) for n in range(300)]'],
  ])(
    'that %s is ended as a whole',
    async (_what, act) => {
      const marker = `merlon-test-${process.pid}-${Date.now()}`
      const { error, answer } = await ran(
        `
import mmap, os, subprocess, sys, time
FILL = 'b = bytearray(b"x") * 250_000_000; import time; time.sleep(60)'
def child(): return subprocess.Popen([sys.executable, '-c', FILL, '${marker}'], start_new_session=True)
def chain(n):
    for _ in range(n):
        if os.fork() > 0: break
    b = bytearray(b'x') * (100 << 20)
    time.sleep(60)
def shared():
    m = mmap.mmap(-1, 1 << 30)
    for n in range(0, 1 << 30, 4096): m[n] = 1
def handler(event, context):
    ${act}
    time.sleep(60)`,
        { timeoutMs: 50_000, memoryMb: 128 },
      )

      expect(error).toBe('Unhandled')
      expect(answer.errorType).toBe('Runtime.ExitError')
      expect(readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(marker))).toEqual([])
    },
    60_000,
  )

  test('is refused the system calls that no function needs, in its children too', async () => {
    const { answer } = await ran(`
import ctypes, os, platform, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == 'aarch64'
CALLS = {'memfd_create': 279 if arm else 319, 'ptrace': 117 if arm else 101, 'keyctl': 219 if arm else 250, 'bpf': 280 if arm else 321, 'io_uring_setup': 425, 'getpid': 172 if arm else 39}
def tried(number):
    ctypes.set_errno(0)
    return [libc.syscall(number, 0, 0, 0, 0, 0) >= 0, ctypes.get_errno()]
def handler(event, context):
    own = {name: tried(number) for name, number in CALLS.items()}
    code = 'import os\\ntry: os.memfd_create("x"); print("made")\\nexcept OSError as e: print(e.errno)'
    return [own, subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout.strip()]`)
    expect(answer).toEqual([
      {
        memfd_create: [false, 38],
        ptrace: [false, 1],
        keyctl: [false, 1],
        bpf: [false, 1],
        io_uring_setup: [false, 38],
        getpid: [true, 0],
      },
      '38',
    ])
  })

  test('within its memory runs children, and is the first that the kernel ends', async () => {
    const { answer } = await ran(`
import os, subprocess, sys
def handler(event, context):
    kids = [subprocess.run([sys.executable, '-c', 'print(len(bytearray(8 << 20)))'], capture_output=True) for n in range(6)]
    return [[kid.stdout.decode().strip() for kid in kids], open('/proc/self/oom_score_adj').read().strip()]`)
    expect(answer).toEqual([new Array(6).fill(String(8 << 20)), '1000'])
  })

  test('leaves the last of what it wrote in the log, and its sockets nowhere', async () => {
    const { log, error } = await ran(`
import sys
def handler(event, context):
    for n in range(5000): print('line', n)
    print('to the other stream', file=sys.stderr)`)

    expect(error).toBeUndefined()
    expect(log).toContain('line 4999\n')
    expect(Buffer.byteLength(log)).toBeLessThanOrEqual(4096)
    expect(tmpdir()).toBe(temporary)
    expect(readdirSync(temporary).filter((name) => name.startsWith('merlon-fn-'))).toEqual([])
  })

  test('that dies, does not load, answers nonsense or too much has failed as AWS says it', async () => {
    const failures = [
      await ran('import os\ndef handler(event, context): os._exit(3)'),
      await ran('import none_such_module\ndef handler(event, context): pass'),
      await ran('def other(): pass'),
      await ran('def handler(event, context): return object()'),
      await ran('def handler(event, context): return "x" * 7000000'),
      await ran('export const other = 1', { runtime: NODE }),
      await ran('export const handler = (event, context, callback) => callback(new TypeError("no"))', {
        runtime: NODE,
      }),
    ]

    expect(failures.map(({ error, answer }) => [error, answer.errorType])).toEqual([
      ['Unhandled', 'Runtime.ExitError'],
      ['Unhandled', 'Runtime.ImportModuleError'],
      ['Unhandled', 'Runtime.HandlerNotFound'],
      ['Unhandled', 'Runtime.MarshalError'],
      ['Unhandled', 'Function.ResponseSizeTooLarge'],
      ['Unhandled', 'Runtime.HandlerNotFound'],
      ['Unhandled', 'TypeError'],
    ])
  })

  test('may be an old-fashioned Node.js module with a callback, in a folder', async () => {
    const zip = zipOf({
      'lib/main.js': 'exports.run = (event, context, done) => setTimeout(() => done(null, event.n * 2), 5)',
    })

    const outcome = await hosts[0]!.run(
      runOf({ code: packageOf(zip, NODE, 'lib/main.run'), payload: Buffer.from('{"n":21}') }),
    )

    expect(answerOf(outcome)).toMatchObject({ answer: 42, error: undefined })
  })

  test('calls Merlon at the address its SDK is configured with', async () => {
    const { answer } = await ran(`
import os, urllib.request
def handler(event, context):
    return urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/some/path').read().decode()`)

    expect(answer).toBe('asked for /some/path')
  })
})

describe.skipIf(refusal !== undefined)('The way out of a sandbox', () => {
  const reach = `
import socket
def handler(event, context):
    said = []
    for host, port in event:
        try:
            with socket.create_connection((host, port), 3) as s: said.append(s.recv(99).decode())
        except OSError as error: said.append(type(error).__name__)
    return said`

  test('leads to what the function declares and the operator allows, and to nothing else', async () => {
    const server = createServer((socket) => void socket.on('error', () => undefined).end('database')).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const host = hostWith(`localhost.localdomain:${port},127.0.0.1:*`)
    const declared = { MERLON_EGRESS: `localhost.localdomain:${port},forbidden.localdomain:${port}` }
    const payload = Buffer.from(
      JSON.stringify([
        ['localhost.localdomain', port],
        ['forbidden.localdomain', port],
        ['localhost.localdomain', port + 1],
        ['127.0.0.1', port],
        ['example.com', 443],
      ]),
    )

    const { answer, log } = await ran(reach, { environment: declared, payload }, host)

    server.close()
    const [allowed, forbidden, ...closed] = answer
    // Names of this machine's own resolver: where it does not know the first, it is refused like the second.
    expect(['database', '']).toContain(allowed)
    expect(forbidden).toMatch(/^$|ConnectionResetError/)
    expect(closed.slice(0, 2)).toEqual(['ConnectionRefusedError', 'ConnectionRefusedError'])
    expect(closed[2]).toBe('gaierror')
    expect(log).toMatch(/forbidden\.localdomain|ENOTFOUND|EAI_AGAIN/)
  })

  test('may be by a low port, and the function is still unprivileged', async () => {
    const { answer, log } = await ran(
      `
import os, re, socket
def handler(event, context):
    socket.create_connection(('web.invalid', 443), 3).close()
    return [os.getuid(), re.search('CapEff:\\t(.*)', open('/proc/self/status').read())[1]]`,
      { environment: { MERLON_EGRESS: 'web.invalid:443' } },
    )

    expect(answer, log).toEqual([65534, '0000000000000000'])
  })
})

describe('What a function declares', () => {
  test('is a name with a port, each name with an address of its own inside', () => {
    expect(targetsOf({ MERLON_EGRESS: 'a.test:1,b.test:2,a.test:3' })).toEqual([
      { host: 'a.test', port: 1, address: '127.0.1.1' },
      { host: 'b.test', port: 2, address: '127.0.1.2' },
      { host: 'a.test', port: 3, address: '127.0.1.1' },
    ])
    expect(targetsOf({})).toEqual([])
  })

  test.each([
    ['10.0.0.1:5432', 'needs a name'],
    ['[::1]:5432', 'needs a name'],
    ['localhost:5432', 'needs a name'],
    ['a.test:*', 'needs one port'],
    ['a.test', 'is not host:port'],
    [Array.from({ length: 33 }, (_, n) => `a${n}.test:1`).join(), 'more than 32'],
  ])('is not %s', (text, complaint) => {
    expect(() => targetsOf({ MERLON_EGRESS: text })).toThrow(complaint)
    const zip = zipOf({ 'index.py': '' })
    const host = functionHost({ handler: () => Promise.reject(), now: () => 0, egress: new Set(), process: true })
    expect(host.refusal(packageOf(zip, PYTHON), { MERLON_EGRESS: text })).toContain(complaint)
  })

  test.each(['java21', 'python2.7', 'provided.al2023', 'ruby3.3'])('%s is no runtime of ours', (runtime) => {
    const host = functionHost({ handler: () => Promise.reject(), now: () => 0, egress: new Set(), process: true })

    expect(host.refusal(packageOf(zipOf({ a: '' }), runtime), {})).toContain(`'${runtime}' is neither`)
  })
})

test('the scripts of the sandbox are in the bundle', () => {
  const folder = new URL('../../dist/sandbox', import.meta.url).pathname
  for (const name of ['relay.mjs', 'bootstrap.mjs', 'bootstrap.py']) {
    const here = readFileSync(new URL(`../../src/planes/functions/sandbox/${name}`, import.meta.url), 'utf8')
    expect(readFileSync(join(folder, name), 'utf8')).toBe(here)
  }
})
