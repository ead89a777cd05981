/** One DNS query to one server, from a new port and with a random ID; over TCP where the answer is too long for UDP. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { AUTHORITATIVE_ANSWER, decode, encode, type Packet, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet'

const TIMEOUT_MS = 3_000
const TCP_BYTES_MAX = 65_535

export interface DnsServer {
  readonly address: string
  readonly port: number
}

export type QueryType = 'CNAME' | 'CAA' | 'NS' | 'A' | 'AAAA'

export interface DnsAnswer {
  readonly rcode: string
  readonly isAuthoritative: boolean
  readonly records: readonly { readonly name: string; readonly type: string; readonly data: unknown }[]
}

/** `recursive`: of a resolver; the servers of a zone answer from what they have. Throws when there is no answer in time. */
export async function query(
  server: DnsServer,
  name: string,
  type: QueryType,
  { recursive }: { readonly recursive: boolean },
): Promise<DnsAnswer> {
  const packet = await queryServer(server, name, type, recursive)
  const records = (packet.answers ?? []).flatMap((answer) =>
    'data' in answer && 'name' in answer ? [{ name: answer.name, type: answer.type, data: answer.data }] : [],
  )
  return {
    rcode: (packet as { rcode?: string }).rcode ?? 'NOERROR',
    isAuthoritative: ((packet.flags ?? 0) & AUTHORITATIVE_ANSWER) !== 0,
    records,
  }
}

export const printServer = ({ address, port }: DnsServer): string =>
  isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`

async function queryServer(server: DnsServer, name: string, type: QueryType, recursive: boolean): Promise<Packet> {
  const id = randomInt(0x10000)
  const query = encode({
    type: 'query',
    id,
    flags: recursive ? RECURSION_DESIRED : 0,
    questions: [{ type, name, class: 'IN' }],
  })
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

function overUdp(server: DnsServer, query: Buffer, isAnswer: (packet: Packet) => boolean): Promise<Packet> {
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

function overTcp(server: DnsServer, query: Buffer, isAnswer: (packet: Packet) => boolean): Promise<Packet> {
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
