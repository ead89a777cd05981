/**
 * A lab on this machine: the namespaces of a plan, made within a namespace of users and mounts, so that nothing of the machine
 * changes and everything ends with the process. Needs Linux, and `unshare`, `nsenter`, `ip` and `nft`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { LabNamespace, LabPlan } from '../../engines/network/lab.ts'
import { flowsOf, type LabFlow } from '../../engines/network/lab-flows.ts'
import { InputError } from '../policy/files.ts'
import { AGENT, type AgentRequest, type AgentSetup } from './lab-agent.ts'
import { commandIn, LAB_FOLDER, type LabCommand } from './lab-command.ts'

/** Set in the process that has namespaces of its own, to those of mounts that it comes from. */
const INSIDE = 'MERLON_LAB_OUTSIDE'
const mounts = (): string => readlinkSync('/proc/self/ns/mnt')
/** Hundreds of ends start at once, on a machine that may be busy. */
const READY_MS = 120_000

/** Looked at, not only said: the lab mounts over `/run`. */
export const isInside = (): boolean => process.env[INSIDE] !== undefined && process.env[INSIDE] !== mounts()

/** Runs this command again in namespaces of its own; returns its exit status. Throws an `InputError` where the machine refuses. */
export function runInside(): Promise<number> {
  const tools = ['unshare', 'nsenter', 'ip', 'nft'].filter((tool) => spawnSync(tool, ['--version']).error)
  if (process.platform !== 'linux' || tools.length > 0)
    throw new InputError(
      `A lab needs Linux with util-linux, iproute2 and nftables${tools.length > 0 ? `; missing: ${tools.join(', ')}` : ''}.`,
    )
  // A user that is root elsewhere may lack user namespaces, and does not need them.
  const ways = [['--user', '--map-root-user'], []].map((users) => [...users, '--net', '--mount', '--'])
  const way = ways.find((options) => spawnSync('unshare', [...options, 'true']).status === 0)
  if (!way) throw new InputError('This machine does not allow namespaces to this user: run the lab as root.')
  const child = spawn('unshare', [...way, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: mounts() },
  })
  return new Promise((resolve, reject) => child.once('error', reject).once('exit', (code) => resolve(code ?? 1)))
}

const heredoc = (command: string, text: string): string => `${command} <<'LAB_END'\n${text.trimEnd()}\nLAB_END\n`

/** Routers forward; packets have sources of other networks; the internet has the addresses of everything else. */
const SETTINGS = ['ip_forward=1', 'conf/all/rp_filter=0', 'conf/all/accept_local=1', 'conf/all/send_redirects=0']

function scriptOf({ namespaces, links }: LabPlan): string {
  const pairs = links.map(
    ({ ends: [[one, a], [other, b]] }) => `link add ${a} netns ${one} type veth peer name ${b} netns ${other}`,
  )
  const configured = namespaces.map(({ name, commands, rules }) => {
    const settings = SETTINGS.map((each) => each.split('=')).map(
      ([path, value]) => `echo ${value} > /proc/sys/net/ipv4/${path}\n`,
    )
    const inner = [...settings, heredoc('ip -batch -', commands.join('\n')), heredoc('nft -f -', rules)].join('')
    return `nsenter --net=/run/netns/${name} sh -e <<'SHELL_END'\n${inner}SHELL_END\n`
  })
  return [
    `mount -t tmpfs lab /run\nmkdir /run/netns\nmkdir -m 700 ${LAB_FOLDER}\n`,
    ...namespaces.map(({ name }) => `ip netns add ${name}\n`),
    heredoc('ip -batch -', pairs.join('\n')),
    ...configured,
  ].join('')
}

/** Throws an `InputError` with what the tools said. */
export function run(command: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 256 << 20 })
  if (error || status !== 0)
    throw new InputError(`The lab cannot be made: ${error?.message ?? stderr.trim().split('\n').slice(0, 3).join(' ')}`)
  return stdout
}

export interface Lab {
  /** Whether a TCP connection from one end is established. `host` is an address of the other end. */
  connect(from: string, request: Omit<AgentRequest, 'id'>): Promise<boolean>
  /** Runs a command in the namespace of an end; returns its exit status. */
  run(end: string, command: LabCommand): Promise<number>
  flows(): readonly (LabFlow & { readonly interface: string })[]
  close(): void
}

/** What a server adds to a lab. */
export interface LabServices {
  /** Called once the namespaces are there, before anything runs in them. */
  setupOf(namespace: LabNamespace): Promise<AgentSetup>
  /** The response to a DNS query at an end; undefined for none. */
  resolve(end: string, query: { readonly message: Buffer; readonly address: string }): Buffer | undefined
}

const NO_SERVICES: LabServices = {
  setupOf: async () => ({ relays: [], resolvers: [] }),
  resolve: () => undefined,
}

export async function openLab(plan: LabPlan, services: LabServices = NO_SERVICES): Promise<Lab> {
  run('sh', ['-e'], scriptOf(plan))
  const ends = plan.namespaces.filter(({ end }) => end !== undefined)
  const namespaceOf = new Map(ends.map(({ end, name }) => [end!, name]))
  const agents = new Map<string, Agent>()
  for (const namespace of ends)
    agents.set(namespace.end!, new Agent(namespace, await services.setupOf(namespace), services))
  const close = () => {
    for (const agent of agents.values()) agent.close()
  }
  try {
    await Promise.all([...agents.values()].map((agent) => agent.ready))
  } catch (error) {
    // They would keep this process alive.
    close()
    throw error
  }
  const routers = plan.namespaces.filter(({ end }) => end === undefined).map(({ name }) => name)
  return {
    connect: (from, request) => agents.get(from)!.connect(request),
    run: (end, command) => {
      const { words, environment } = commandIn(`/run/netns/${namespaceOf.get(end)}`, command)
      const child = spawn(words[0]!, words.slice(1), { stdio: 'inherit', env: environment })
      return new Promise((resolve, reject) => child.once('error', reject).once('exit', (code) => resolve(code ?? 1)))
    },
    flows: () =>
      routers.flatMap((router) => {
        const listed = run('nsenter', [`--net=/run/netns/${router}`, 'nft', '-j', 'list', 'table', 'ip', 'vpc'])
        return flowsOf(JSON.parse(listed)).flatMap((flow) => {
          const known = plan.devices.get(`${router} ${flow.device}`)
          return known ? [{ ...flow, interface: known.interface }] : []
        })
      }),
    close,
  }
}

interface AgentMessage {
  readonly ready?: boolean
  readonly id?: number
  readonly connected?: boolean
  readonly query?: number
  /** Base64. */
  readonly message?: string
  readonly address?: string
}

const queryOf = ({ message = '', address = '' }: AgentMessage) => ({ message: Buffer.from(message, 'base64'), address })

class Agent {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (connected: boolean) => void>()
  readonly ready: Promise<void>
  #next = 0

  constructor({ name, end }: LabNamespace, setup: AgentSetup, services: LabServices) {
    const words = [`--net=/run/netns/${name}`, process.execPath, '--eval', AGENT, JSON.stringify(setup)]
    this.#child = spawn('nsenter', words, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.ready = new Promise((ready, reject) => {
      const timer = setTimeout(() => reject(new InputError('An end of the lab does not start.')), READY_MS)
      createInterface({ input: this.#child.stdout! }).on('line', (line) => {
        const message = JSON.parse(line) as AgentMessage
        clearTimeout(timer)
        if (message.ready) return ready()
        if (message.query !== undefined) return this.#answer(message, services.resolve(end!, queryOf(message)))
        this.#waiting.get(message.id!)?.(message.connected === true)
        this.#waiting.delete(message.id!)
      })
      this.#child.once('error', reject)
      this.#child.once('exit', () => {
        clearTimeout(timer)
        reject(new InputError('An end of the lab has ended.'))
        for (const answer of this.#waiting.values()) answer(false)
      })
    })
  }

  connect(request: Omit<AgentRequest, 'id'>): Promise<boolean> {
    const id = ++this.#next
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#child.stdin!.write(`${JSON.stringify({ id, ...request } satisfies AgentRequest)}\n`)
    })
  }

  #answer({ query }: AgentMessage, response: Buffer | undefined): void {
    this.#child.stdin!.write(`${JSON.stringify({ query, message: response?.toString('base64') })}\n`)
  }

  close(): void {
    this.#child.stdin!.end()
  }
}
