/**
 * What a server gives a lab: metadata services with credentials of roles, the API at an address of the internet, and threat detection
 * of what is looked up and sent. The lab acts as the operator, by sockets in the data directory.
 */
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { DEFAULT_FLOW_COLUMNS, normalizeFlow } from '../../engines/detect/normalize/flow.ts'
import type { DnsEvent, FlowEvent } from '../../engines/detect/types.ts'
import type { LabNamespace } from '../../engines/network/lab.ts'
import {
  API_ADDRESS,
  API_PORTS,
  hopRules,
  METADATA_ADDRESS,
  METADATA_PORT,
} from '../../engines/network/lab-services.ts'
import { INTERNET } from '../../engines/network/reachability.ts'
import type { InstanceCredentials, ShownMetadata } from '../../kernel/ports/instance-metadata.ts'
import { callServer } from '../../server/admin/admin-socket.ts'
import { apiSocketOf } from '../../server/compose/installation.ts'
import { InputError } from '../policy/files.ts'
import type { AgentSetup } from './lab-agent.ts'
import { LAB_FOLDER, type ServedCommand } from './lab-command.ts'
import { type LabServices, run } from './lab-host.ts'
import { metadataEndpoint } from './lab-metadata.ts'
import { LabResolver } from './lab-resolver.ts'
import type { NetworkFile } from './network-file.ts'
import { sendEvents } from './send-events.ts'

const EVERY_MS = 1_000

export class LabServer implements LabServices {
  readonly #data: string
  readonly #network: NetworkFile
  readonly #resolver: LabResolver
  readonly #servers: Server[] = []
  readonly #resolvers = new Map<string, readonly string[]>()
  readonly #timer: NodeJS.Timeout
  #sending: Promise<void> = Promise.resolve()

  private constructor(data: string, network: NetworkFile) {
    this.#data = data
    this.#network = network
    this.#resolver = new LabResolver(network)
    this.#timer = setInterval(() => this.#send(this.#resolver.take()), EVERY_MS)
  }

  /** Throws an `InputError` where no server runs. */
  static async of(data: string, network: NetworkFile): Promise<LabServer> {
    if (!(await callServer(data, { route: 'GET /status', input: {} })))
      throw new InputError(`No server runs on ${data}. Start it: merlon start --data ${data}`)
    return new LabServer(realpathSync(data), network)
  }

  async setupOf({ name, end = '', instance, resolvers = [], hasApi }: LabNamespace): Promise<AgentSetup> {
    this.#resolvers.set(end, resolvers)
    const api = apiSocketOf(this.#data)
    if (hasApi)
      return { relays: API_PORTS.map((port) => ({ host: API_ADDRESS, port, path: api, isNamed: true })), resolvers }
    const place = this.#network.placeOf(end)
    if (instance === undefined || !place) return { relays: [], resolvers }
    const path = join(LAB_FOLDER, `${name}.sock`)
    await this.#serveMetadata(path, name, { ...place, instance })
    return { relays: [{ host: METADATA_ADDRESS, port: METADATA_PORT, path, isNamed: false }], resolvers }
  }

  resolve: LabServices['resolve'] = (end, query) => this.#resolver.resolve(end, query)

  /** How a command runs at an end. */
  commandAt(end: string): ServedCommand {
    const [resolver] = this.#resolvers.get(end) ?? []
    const file = resolver === undefined ? undefined : join('/run', 'resolv.conf')
    if (file) writeFileSync(file, `nameserver ${resolver}\n`)
    const region = this.#network.placeOf(end === INTERNET ? this.#firstEnd() : end)?.region
    return {
      hidden: [this.#data, LAB_FOLDER],
      resolvers: file,
      environment: {
        AWS_ENDPOINT_URL: `http://${API_ADDRESS}:${API_PORTS[0]}`,
        // What is in the operator's home is not the machine's.
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        AWS_CONFIG_FILE: '/dev/null',
        ...(region !== undefined && { AWS_REGION: region, AWS_DEFAULT_REGION: region }),
        ...(end === INTERNET && { AWS_EC2_METADATA_DISABLED: 'true' }),
      },
    }
  }

  /** Flow log lines in the default format. */
  sendFlows(lines: readonly string[]): void {
    const regionOf = (eni: string) => this.#network.placeOf(eni)?.region ?? ''
    this.#send(
      lines.flatMap((line) => {
        const [, account = '', eni = ''] = line.split(' ')
        const event = normalizeFlow(line, DEFAULT_FLOW_COLUMNS, { account, region: regionOf(eni) })
        return event && event.region !== '' ? [event] : []
      }),
    )
  }

  /** Sends what is left. Throws why something was not sent. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#send(this.#resolver.take())
    for (const server of this.#servers) {
      server.close()
      server.closeAllConnections()
    }
    await this.#sending
  }

  #firstEnd(): string {
    const [first = ''] = this.#network.snapshot.interfaces.keys()
    return first
  }

  #send(events: readonly (DnsEvent | FlowEvent)[]): void {
    if (events.length === 0) return
    this.#sending = this.#sending.then(async () => void (await sendEvents({ data: this.#data }, events)))
    // Reported by `close`.
    this.#sending.catch(() => undefined)
  }

  async #serveMetadata(
    path: string,
    namespace: string,
    instance: { readonly account: string; readonly region: string; readonly instance: string },
  ): Promise<void> {
    let applied: number | undefined
    const endpoint = metadataEndpoint({
      shown: async () => (await this.#call<{ shown?: ShownMetadata }>('POST /instances/metadata', instance)).shown,
      credentials: async (version) => {
        const input = { ...instance, version }
        return (await this.#call<{ credentials?: InstanceCredentials }>('POST /instances/credentials', input))
          .credentials
      },
      setHopLimit: (hops) => {
        if (hops === applied) return
        run('nsenter', [`--net=/run/netns/${namespace}`, 'nft', '-f', '-'], hopRules(hops))
        applied = hops
      },
    })
    mkdirSync(LAB_FOLDER, { recursive: true })
    const server = createServer(
      { maxHeaderSize: 8 * 1024 },
      (request, response) => void endpoint.handle(request, response),
    )
    this.#servers.push(server)
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  }

  async #call<T extends object>(route: string, input: object): Promise<T> {
    const answer = await callServer(this.#data, { route, input: input as Readonly<Record<string, unknown>> })
    if (!answer) throw new InputError(`The server on ${this.#data} has ended.`)
    return answer as T
  }
}
