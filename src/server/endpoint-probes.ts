/**
 * Probes of health checks: one connection each, with the time limits of Route 53, and never to private addresses but those
 * that the operator allows. The endpoint is another account's choice: what it sends is bounded, and none of its text is kept.
 * Limits: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
 */
import { Resolver } from 'node:dns/promises'
import { type IncomingMessage, request as requestPlain, STATUS_CODES } from 'node:http'
import { request as requestEncrypted } from 'node:https'
import { BlockList, connect, isIP, isIPv6, type Socket } from 'node:net'
import type { EndpointProbesPort, ProbedEndpoint, ProbeResult } from '../kernel/ports/endpoint-probes.ts'
import { isMetadata, isPrivateAddress } from '../kernel/resource/addresses.ts'

const TCP_MS = 10_000
const CONNECT_MS = 4_000
const RESPONSE_MS = 2_000
const BODY_MS = 2_000
const LOOKUP_MS = 2_000
export const SEARCHED_BYTES = 5_120
/** Of all accounts. */
const RUNNING_MAX = 200

export interface EndpointProbesOptions {
  /** `10.0.0.0/8,fd00::/8`: private networks that health checks may reach. */
  readonly networks?: string | undefined
  /** The IPv4 addresses of a host. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
}

export function endpointProbesPort({
  networks = process.env['MERLON_HEALTH_CHECK_NETWORKS'],
  resolve = resolved,
}: EndpointProbesOptions = {}): EndpointProbesPort {
  const allowed = readNetworks(networks)
  const isAllowed = (address: string): boolean => {
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    return isIP(address) !== 0 && !isMetadata(address) && (!isPrivateAddress(address) || allowed.check(address, family))
  }
  const slots = new Slots(RUNNING_MAX)
  return {
    isAllowed,
    probe: (endpoint) =>
      slots.run(async () => {
        try {
          const address = endpoint.address ?? (await resolve(endpoint.host ?? ''))[0]
          if (address === undefined) return failure('The host name has no IPv4 address')
          if (!isAllowed(address)) return failure('The address is not one that health checks may reach')
          return await (endpoint.protocol === 'TCP' ? probeTcp(endpoint, address) : probeHttp(endpoint, address))
        } catch (error) {
          return failure(REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? 'The connection failed')
        }
      }),
  }
}

/** Throws for a text that does not list networks. */
function readNetworks(text: string | undefined): BlockList {
  const list = new BlockList()
  for (const part of (text ?? '').split(',').flatMap((each) => each.trim() || [])) {
    const [, address = '', prefix = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(part) ?? []
    const bits = isIPv6(address) ? 128 : 32
    if (isIP(address) === 0 || Number(prefix) > bits)
      throw new Error(`MERLON_HEALTH_CHECK_NETWORKS: '${part}' is not a network in CIDR notation`)
    list.addSubnet(address, Number(prefix), bits === 128 ? 'ipv6' : 'ipv4')
  }
  return list
}

/** Not by the operating system, whose lookups occupy the threads that files and signatures need. */
const resolved = (host: string): Promise<readonly string[]> =>
  new Resolver({ timeout: LOOKUP_MS, tries: 1 }).resolve4(host)

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The connection was refused',
  ECONNRESET: 'The connection was reset',
  EHOSTUNREACH: 'The host is unreachable',
  ENETUNREACH: 'The network is unreachable',
  ENOTFOUND: 'The host name does not exist',
  ENODATA: 'The host name has no IPv4 address',
  ESERVFAIL: 'The host name cannot be looked up',
  ETIMEOUT: 'The host name cannot be looked up',
  EREFUSED: 'The host name cannot be looked up',
  HPE_INVALID_CONSTANT: 'The response is not HTTP',
}

const failure = (why: string): ProbeResult => ({ isGood: false, status: `Failure: ${why}.` })

function probeTcp({ port }: ProbedEndpoint, address: string): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port })
    const timer = setTimeout(
      () => end(failure(`The connection was not established within ${TCP_MS / 1_000} seconds`)),
      TCP_MS,
    )
    const end = (result: ProbeResult | Error): void => {
      clearTimeout(timer)
      socket.destroy()
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    socket.once('connect', () => end({ isGood: true, status: 'Success: TCP connection established.' }))
    socket.on('error', end)
  })
}

function probeHttp(endpoint: ProbedEndpoint, address: string): Promise<ProbeResult> {
  const { protocol, host, port, path, sendsServerName, reference, search } = endpoint
  const isEncrypted = protocol === 'HTTPS'
  const name = host ?? (isIPv6(address) ? `[${address}]` : address)
  const isUsualPort = port === (isEncrypted ? 443 : 80)
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    const sent = (isEncrypted ? requestEncrypted : requestPlain)({
      method: 'GET',
      host: address,
      port,
      path,
      agent: false,
      setHost: false,
      // Certificates are not verified, as at AWS: a check is about availability.
      rejectUnauthorized: false,
      servername: sendsServerName && host !== undefined && isIP(host) === 0 ? host : '',
      headers: {
        host: isUsualPort ? name : `${name}:${port}`,
        'user-agent': `Amazon-Route53-Health-Check-Service (ref ${reference})`,
        accept: '*/*',
        connection: 'close',
      },
    })
    const end = (result: ProbeResult | Error): void => {
      clearTimeout(timer)
      sent.destroy()
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    const within = (ms: number, what: string): void => {
      clearTimeout(timer)
      timer = setTimeout(() => end(failure(`${what} within ${ms / 1_000} seconds`)), ms)
    }
    within(CONNECT_MS, 'The connection was not established')
    sent.on('socket', (socket: Socket) => {
      socket.once(isEncrypted ? 'secureConnect' : 'connect', () => within(RESPONSE_MS, 'There was no response'))
    })
    sent.on('error', end)
    sent.on('response', (response) => {
      const code = response.statusCode ?? 0
      const text = `HTTP Status Code ${code}, ${STATUS_CODES[code] ?? 'Unknown'}.`
      if (code < 200 || code > 399) return end({ isGood: false, status: `Failure: ${text}` })
      if (search === undefined) return end({ isGood: true, status: `Success: ${text}` })
      within(BODY_MS, 'The body was not received')
      void find(response, search).then(
        (isFound) =>
          end(
            isFound
              ? { isGood: true, status: `Success: ${text}` }
              : failure(`The search string is not in the first ${SEARCHED_BYTES} bytes of the body`),
          ),
        end,
      )
    })
    sent.end()
  })
}

async function find(response: IncomingMessage, search: string): Promise<boolean> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= SEARCHED_BYTES) break
  }
  return Buffer.concat(chunks).subarray(0, SEARCHED_BYTES).includes(search)
}

/** Work that waits for its turn, in the order of its arrival. */
class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(max: number) {
    this.#free = max
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
