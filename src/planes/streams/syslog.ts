/**
 * Syslog: RFC 5424 over UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS (RFC 5425). None of them acknowledges: a
 * message counts as taken when the kernel has it.
 */
import { createSocket, type Socket as Datagrams } from 'node:dgram'
import { connect as connectTcp, isIPv6, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls } from 'node:tls'
import type { Line, Sink } from './sink.ts'

/** "log audit" of RFC 5424 §6.2.1. */
const FACILITY = 13
const INFORMATIONAL = 6
const WARNING = 4
/** What fits a datagram, less space for its headers. */
const DATAGRAM_MAX = 65_000
const CONNECT_MS_MAX = 10_000
const PORTS = { 'syslog:': 514, 'syslog+tcp:': 601, 'syslog+tls:': 6514 } as const

/** PRINTUSASCII, of a limited length; `-` for none. */
const plain = (text: string, length: number): string => text.replace(/[^\x21-\x7e]/g, '').slice(0, length) || '-'

export function messageOf({ timeMs, name, refused, body }: Line, host: string): Buffer {
  const priority = FACILITY * 8 + (refused ? WARNING : INFORMATIONAL)
  const head = `<${priority}>1 ${new Date(timeMs).toISOString()} ${plain(host, 255)} merlon ${process.pid} ${plain(name, 32)} -`
  return Buffer.from(`${head} ${body}`)
}

export function syslogSink(target: URL): Sink {
  const protocol = target.protocol as keyof typeof PORTS
  const host = target.hostname.replace(/^\[|\]$/g, '')
  const port = Number(target.port) || PORTS[protocol]
  return protocol === 'syslog:' ? datagrams(host, port) : stream(host, port, protocol === 'syslog+tls:')
}

function datagrams(host: string, port: number): Sink {
  let socket: Datagrams | undefined
  return {
    send: async (lines) => {
      socket ??= createSocket(isIPv6(host) ? 'udp6' : 'udp4').on('error', () => undefined)
      for (const line of lines) {
        const message = messageOf(line, hostname()).subarray(0, DATAGRAM_MAX)
        await new Promise<void>((resolve, reject) => {
          socket!.send(message, port, host, (error) => (error ? reject(error) : resolve()))
        })
      }
    },
    close: async () => {
      socket?.close()
      socket = undefined
    },
  }
}

function stream(host: string, port: number, secure: boolean): Sink {
  let socket: Socket | undefined

  const connected = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const opened = secure ? connectTls({ host, port, servername: host }) : connectTcp({ host, port })
      opened.setTimeout(CONNECT_MS_MAX, () => opened.destroy(new Error('it did not take the connection in time')))
      opened.once(secure ? 'secureConnect' : 'connect', () => {
        opened.setTimeout(0)
        resolve(opened)
      })
      opened.on('error', reject)
      // A peer that leaves is noticed here, and the next batch connects again.
      opened.on('close', () => {
        if (socket === opened) socket = undefined
      })
      opened.resume()
    })

  return {
    send: async (lines, signal) => {
      const open = socket ?? (await connected())
      socket = open
      const framed = lines.map((line) => {
        const message = messageOf(line, hostname())
        return Buffer.concat([Buffer.from(`${message.length} `), message])
      })
      await new Promise<void>((resolve, reject) => {
        const stop = () => open.destroy(new Error('stopped'))
        const settle = (error?: Error | null) => {
          signal.removeEventListener('abort', stop)
          open.removeListener('close', left)
          if (error) reject(error)
          else resolve()
        }
        const left = () => settle(new Error('it closed the connection'))
        signal.addEventListener('abort', stop, { once: true })
        open.once('close', left)
        open.write(Buffer.concat(framed), settle)
      })
    },
    close: async () => {
      socket?.end()
      socket?.destroySoon()
      socket = undefined
    },
  }
}
