/**
 * Public DNS: the query goes to every resolver that the operator configured (`MERLON_DNS_SERVERS`, default: the
 * machine's), each from a new port and with a random ID, over TCP where the answer is too long for UDP.
 */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { getServers } from 'node:dns'
import { connect, isIP, isIPv6 } from 'node:net'
import { decode, encode, type Packet, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet'
import type { DomainAnswer, DomainRecordsPort } from '../kernel/ports/domain-records.ts'

const TIMEOUT_MS = 3_000
const ATTEMPTS = 2
const SERVERS_MAX = 4
const TCP_BYTES_MAX = 65_535

interface Server {
  readonly address: string
  readonly port: number
}

/** `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`, separated by commas. Throws for anything else. */
export function readDnsServers(text: string): readonly Server[] {
  return text.split(',').map((part) => {
    const server = readServer(part)
    if (!server) throw new Error(`MERLON_DNS_SERVERS: '${part}' is not an address with a port`)
    return server
  })
}

const SERVER = /^\s*(?:\[([0-9a-f:.]+)\]|([0-9.]+|[0-9a-f:]+))(?::(\d{1,5}))?\s*$/i

function readServer(text: string): Server | undefined {
  const [, bracketed, plain, port = '53'] = SERVER.exec(text) ?? []
  const address = bracketed ?? plain ?? text.trim()
  return isIP(address) === 0 ? undefined : { address, port: Number(port) }
}

/** The machine's; those that only this machine's resolver library understands are left out. */
const machinesServers = (): readonly Server[] => getServers().flatMap((text) => readServer(text) ?? [])

const configured = (): readonly Server[] | undefined => {
  const text = process.env['MERLON_DNS_SERVERS']
  return text ? readDnsServers(text) : undefined
}

export function worldsDns(servers = configured()): DomainRecordsPort {
  return {
    lookup: (name, type) =>
      Promise.all(
        (servers ?? machinesServers())
          .slice(0, SERVERS_MAX)
          .map((server) => answerOf(server, name.replace(/\.$/, ''), type)),
      ),
  }
}

async function answerOf(server: Server, name: string, type: 'CNAME' | 'CAA'): Promise<DomainAnswer> {
  const resolver = isIPv6(server.address) ? `[${server.address}]:${server.port}` : `${server.address}:${server.port}`
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const packet = await queryServer(server, name, type)
      const records = (packet.answers ?? []).flatMap((answer) =>
        'data' in answer && 'name' in answer ? [{ name: answer.name, type: answer.type, data: answer.data }] : [],
      )
      return { resolver, rcode: (packet as { rcode?: string }).rcode ?? 'NOERROR', records }
    } catch {
      // Asked a second time; after that it counts as a resolver without an answer.
    }
  }
  return { resolver, rcode: undefined, records: [] }
}

async function queryServer(server: Server, name: string, type: 'CNAME' | 'CAA'): Promise<Packet> {
  const id = randomInt(0x10000)
  const query = encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ type, name, class: 'IN' }] })
  const isAnswer = (packet: Packet): boolean => {
    const [question] = packet.questions ?? []
    return (
      packet.type === 'response' &&
      packet.id === id &&
      question?.type === type &&
      question.name.toLowerCase() === name.toLowerCase()
    )
  }
  const answer = await overUdp(server, query, isAnswer)
  return ((answer.flags ?? 0) & TRUNCATED_RESPONSE) !== 0 ? overTcp(server, query, isAnswer) : answer
}

function overUdp(server: Server, query: Buffer, isAnswer: (packet: Packet) => boolean): Promise<Packet> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
    const end = (done: () => void) => {
      clearTimeout(timer)
      socket.close()
      done()
    }
    const timer = setTimeout(() => end(() => reject(new Error('no answer in time'))), TIMEOUT_MS)
    socket.once('error', (error) => end(() => reject(error)))
    socket.on('message', (message) => {
      const packet = parsed(message)
      // A packet that does not answer this question may be forged: the true answer may still come.
      if (packet && isAnswer(packet)) end(() => resolve(packet))
    })
    // Connected: the kernel drops what other addresses send.
    socket.connect(server.port, server.address, () => socket.send(query))
  })
}

function overTcp(server: Server, query: Buffer, isAnswer: (packet: Packet) => boolean): Promise<Packet> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server.address, port: server.port, timeout: TIMEOUT_MS })
    const chunks: Buffer[] = []
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), TIMEOUT_MS)
    socket.once('connect', () =>
      socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 0xff]), query])),
    )
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      const all = Buffer.concat(chunks)
      if (all.length > TCP_BYTES_MAX + 2) return socket.destroy(new Error('too long'))
      if (all.length < 2 || all.length < all.readUInt16BE(0) + 2) return
      const packet = parsed(all.subarray(2, all.readUInt16BE(0) + 2))
      if (packet && isAnswer(packet)) resolve(packet)
      socket.destroy()
    })
    socket.on('close', () => {
      clearTimeout(timer)
      reject(new Error('closed without an answer'))
    })
  })
}

function parsed(message: Buffer): Packet | undefined {
  try {
    return decode(message)
  } catch {
    return undefined
  }
}
