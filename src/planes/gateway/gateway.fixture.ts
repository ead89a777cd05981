/** A Merlon in memory with a gateway on real sockets, and targets that say what they got. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import { onTestFinished, vi } from 'vitest'
import { createLogger } from '../../server/compose/log.ts'
import { ServerPlane } from '../../server/plane/server-plane.ts'
import { loadBalancing } from '../../services/elbv2/elbv2.fixture.ts'
import type { GatewaySettings } from './index.ts'

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A target on loopback: answers with its name, and keeps what came. */
export async function target(
  name: string,
  answer?: (request: IncomingMessage, response: ServerResponse, body: string) => void,
) {
  const seen: Seen[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('latin1')
      const isCheck = request.headers['user-agent'] === 'ELB-HealthChecker/2.0'
      if (!isCheck) seen.push({ method: request.method!, url: request.url!, headers: request.headers, body })
      if (answer) return answer(request, response, body)
      response.end(isCheck ? 'well' : `${name} ${request.method} ${request.url} ${body.length}`)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      // Those that were upgraded, too.
      for (const socket of sockets) socket.destroy()
    })
  onTestFinished(stop)
  return { server, seen, stop, port: (server.address() as AddressInfo).port }
}

export const WAIT = { timeout: 20_000, interval: 50 }

export async function gatewayCloud(settings: GatewaySettings = {}) {
  const it = await loadBalancing()
  const plane = new ServerPlane({
    plane: 'gateway',
    host: '127.0.0.1',
    file: undefined,
    logger: createLogger('error'),
    gateway: { ...settings, portOf: () => 0 },
  })
  await plane.attach(it)
  onTestFinished(() => plane.close())

  /** The port that the gateway opened for a listener. */
  const portOf = async (listenerPort: number): Promise<number> => {
    await vi.waitFor(() => {
      if (!plane.ports.has(`port-${listenerPort}`)) throw new Error(`no listener on ${listenerPort}`)
    }, WAIT)
    return plane.ports.get(`port-${listenerPort}`)!
  }

  /** A group with these targets that forwards to their ports. */
  const groupOf = async (
    name: string,
    ports: readonly number[],
    more: Partial<elb.CreateTargetGroupCommandInput> = {},
  ) => {
    const TargetGroupArn = await it.group(name, {
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
      ...more,
    })
    if (ports.length > 0)
      await it.elb.send(
        new elb.RegisterTargetsCommand({
          TargetGroupArn,
          Targets: ports.map((Port) => ({ Id: '127.0.0.1', Port })),
        }),
      )
    return TargetGroupArn
  }

  /** A load balancer on a port with one group of these targets, once they are healthy. */
  const serving = async (name: string, listenerPort: number, ports: readonly number[]) => {
    const group = await groupOf(name, ports)
    const balancer = await it.balancer(name)
    const listener = await it.listener(balancer.LoadBalancerArn!, listenerPort, group)
    const port = await portOf(listenerPort)
    if (ports.length > 0) await healthy(group, ports.length)
    return { group, balancer, arn: balancer.LoadBalancerArn!, listener, port, url: `http://127.0.0.1:${port}` }
  }

  const states = async (TargetGroupArn: string) => {
    const answer = await it.elb.send(new elb.DescribeTargetHealthCommand({ TargetGroupArn }))
    return answer.TargetHealthDescriptions!.map(({ TargetHealth }) => TargetHealth?.State)
  }
  const healthy = (group: string, count: number) =>
    vi.waitFor(async () => {
      const found = (await states(group)).filter((state) => state === 'healthy').length
      if (found !== count) throw new Error(`${found} of ${count} targets are healthy`)
    }, WAIT)

  return { ...it, plane, portOf, groupOf, serving, states, healthy }
}

/** Sends bytes as they are, and returns all that came until the connection ended or was silent. */
export function raw(port: number, bytes: string | Buffer, silentMs = 400): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    )
    const end = () => {
      socket.destroy()
      resolve(answer)
    }
    let timer = setTimeout(end, silentMs)
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      clearTimeout(timer)
      timer = setTimeout(end, silentMs)
    })
    socket.on('close', end).on('error', end)
  })
}
