/**
 * What a plane in a process of its own counts, on a port of loopback: `GET /metrics` in the Prometheus text format, and `GET /health`,
 * 200 when the plane has a snapshot and 503 when it has none.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Plane } from '../../kernel/planes/plane.ts'

const HOST = '127.0.0.1'
const CONNECTIONS_MAX = 16
const REQUEST_MS = 5_000

export interface MetricsListener {
  readonly port: number
  close(): Promise<void>
}

type Watched = Pick<Plane, 'name' | 'health' | 'snapshotNumber' | 'metrics'>

/** `port` 0 takes any. Throws when it is in use. */
export async function openMetrics(plane: Watched, port: number): Promise<MetricsListener> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    const path = request.url?.split('?')[0]
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || (path !== '/metrics' && path !== '/health')) {
      response.writeHead(isRead ? 404 : 405).end()
      return
    }
    if (path === '/metrics') response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(textOf(plane))
    else {
      const health = plane.health()
      const body = JSON.stringify({ status: health, snapshot: plane.snapshotNumber() })
      response.writeHead(health === 'open' ? 200 : 503, { 'content-type': 'application/json' }).end(body)
    }
  })
  server.maxConnections = CONNECTIONS_MAX
  server.listen(port, HOST)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}

const textOf = (plane: Watched): string =>
  [
    '# HELP merlon_plane_open Whether the plane has a snapshot to work from.',
    '# TYPE merlon_plane_open gauge',
    `merlon_plane_open{plane="${plane.name}"} ${plane.health() === 'open' ? 1 : 0}`,
    '# HELP merlon_plane_snapshot The number of its snapshot; -1 without one.',
    '# TYPE merlon_plane_snapshot gauge',
    `merlon_plane_snapshot{plane="${plane.name}"} ${plane.snapshotNumber()}`,
    ...(plane.metrics?.() ?? []),
    '',
  ].join('\n')
