/** `merlon plane`: data planes that run in processes of their own. */
import { readFileSync } from 'node:fs'
import type { PlaneRow } from '../kernel/planes/enrollment.ts'
import { createLogger } from '../server/compose/log.ts'
import { runPlane } from '../server/plane/plane-process.ts'
import { callAdmin, placeOptions } from './admin-client.ts'
import { portOf } from './command.ts'
import { gatewaySettings } from './gateway-options.ts'
import { commandGroup } from './group.ts'
import { parseSubcommand, required, type SubCommand } from './subcommand.ts'

const oneName = { least: 1, most: 1, names: 'the name of a plane' }

const enrollOptions = {
  ...placeOptions,
  only: {
    type: 'string',
    multiple: true,
    value: 'ACCOUNT|ARN',
    about:
      'Gateway: serve the load balancers of this account, or this one, and get no others. Resolver: report queries of machines of this account, or of this VPC; repeatable',
  },
  json: { type: 'boolean', about: 'Print JSON' },
} as const
const enroll: SubCommand = {
  name: 'enroll',
  operands: 'PLANE',
  about: 'Creates a code with which one plane enrolls, once and within an hour.',
  options: enrollOptions,
  async run(words) {
    const { given, operands } = parseSubcommand(enrollOptions, words, oneName)
    const created = await callAdmin<{ code: string }>(given, 'POST /planes/enroll', {
      plane: operands[0],
      ...(given.only?.length && { scope: given.only }),
    })
    process.stdout.write(given.json ? `${JSON.stringify(created)}\n` : `${created.code}\n`)
    return 0
  },
}

const runOptions = {
  state: {
    type: 'string',
    value: 'DIR',
    about: "The plane's own directory: identity, last snapshot, records (required)",
  },
  server: {
    type: 'string',
    value: 'URL[,URL…]',
    about: "The API of the server's nodes; needed with --enroll, later it replaces the stored one",
  },
  enroll: {
    type: 'string',
    value: 'CODE',
    about: "From 'merlon plane enroll' (better in MERLON_PLANE_CODE: others see this line)",
  },
  node: { type: 'string', value: 'NAME', about: "Name of this plane (default: this machine's)" },
  ca: { type: 'string', value: 'FILE', about: "The server's certificate authority (PEM), where it has its own" },
  host: { type: 'string', value: 'HOST', about: 'Where to listen (default 127.0.0.1)' },
  port: { type: 'string', value: 'PORT', about: 'Resolver: on which port; 0 takes any (default 53)' },
  'gateway-port': {
    type: 'string',
    multiple: true,
    value: 'PORT=PORT',
    about: 'Gateway: open another port than a listener has, such as 443=8443; repeatable',
  },
  'gateway-trust': {
    type: 'string',
    multiple: true,
    value: 'CIDR',
    about: 'Gateway: believe PROXY protocol of connections from CIDR; repeatable',
  },
  'gateway-hops': {
    type: 'string',
    value: 'NUMBER',
    about: 'Gateway: proxies that add to X-Forwarded-For (default 0)',
  },
  'metrics-port': {
    type: 'string',
    value: 'PORT',
    about: 'Serve /metrics and /health on 127.0.0.1:PORT (default: not served)',
  },
  json: { type: 'boolean', about: 'Announce readiness as one JSON line' },
} as const
const run: SubCommand = {
  name: 'run',
  operands: 'PLANE',
  about: 'Runs a plane in this process until it is stopped. Works from its last snapshot while the server is away.',
  options: runOptions,
  async run(words) {
    const { given, operands } = parseSubcommand(runOptions, words, oneName)
    const logger = createLogger('info')
    const port = portOf(given.port, 53)
    const plane = await runPlane({
      plane: operands[0]!,
      state: required(given.state, 'state'),
      server: given.server,
      code: given.enroll ?? process.env['MERLON_PLANE_CODE'],
      node: given.node,
      ca: given.ca === undefined ? undefined : readFileSync(given.ca, 'utf8'),
      host: given.host ?? '127.0.0.1',
      ports: { dns: port },
      metricsPort: given['metrics-port'] === undefined ? undefined : portOf(given['metrics-port'], 0, '--metrics-port'),
      gateway: gatewaySettings(given),
      logger,
    })
    if (given.json) process.stdout.write(`${JSON.stringify({ ready: true, port: plane.listeners[0]?.port })}\n`)
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve)
      process.once('SIGINT', resolve)
    })
    await plane.close()
    return 0
  },
}

const listOptions = { ...placeOptions, json: { type: 'boolean', about: 'Print JSON' } } as const
const list: SubCommand = {
  name: 'list',
  about: 'Lists the enrolled planes, with their health, snapshot and last report.',
  options: listOptions,
  async run(words) {
    const { given } = parseSubcommand(listOptions, words)
    const { planes } = await callAdmin<{ planes: readonly PlaneRow[] }>(given, 'GET /planes')
    const line = ({ plane, node, status, seenAt, scope }: PlaneRow) =>
      `${plane} ${node}${scope ? ` (${scope.join(', ')})` : ''}: ${status ? `${status.health}, snapshot ${status.snapshot}${status.dropped > 0 ? `, ${status.dropped} dropped` : ''}` : 'no report yet'}${
        seenAt === undefined ? '' : `, seen ${new Date(seenAt).toISOString()}`
      }`
    process.stdout.write(given.json ? `${JSON.stringify(planes)}\n` : planes.map((row) => `${line(row)}\n`).join(''))
    return 0
  },
}

const revoke: SubCommand = {
  name: 'revoke',
  operands: 'PLANE NODE',
  about: "Ends a plane's access. It keeps its last snapshot and gets no newer one.",
  options: placeOptions,
  async run(words) {
    const { given, operands } = parseSubcommand(placeOptions, words, {
      least: 2,
      most: 2,
      names: 'a plane and its node',
    })
    const [plane, node] = operands
    await callAdmin(given, 'POST /planes/revoke', { plane, node })
    process.stdout.write(`The plane ${plane} on ${node} is revoked.\n`)
    return 0
  },
}

export const plane = commandGroup({
  name: 'plane',
  about: 'Runs and enrolls data planes in processes of their own',
  commands: [enroll, run, list, revoke],
})
