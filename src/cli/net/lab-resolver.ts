/**
 * The resolver of a lab: it knows the machines of the network by their private names, and answers that all other names do not exist.
 * What is looked up is an event of threat detection.
 */

import type { DnsEvent } from '../../engines/detect/types.ts'
import { parseQuery, printResponse, UDP_BYTES } from '../../engines/dns/message.ts'
import type { NetworkFile } from './network-file.ts'

/** Queries that wait to be sent. More are answered, and not reported. */
const EVENTS_MAX = 10_000

export class LabResolver {
  readonly #network: NetworkFile
  readonly #addresses: ReadonlyMap<string, string>
  #events: DnsEvent[] = []
  #count = 0

  constructor(network: NetworkFile) {
    this.#network = network
    const { interfaces } = network.snapshot.network
    this.#addresses = new Map(
      interfaces.flatMap(({ id, address }) => {
        const name = network.privateNameOf(id)
        return name === undefined ? [] : [[name.toLowerCase(), address] as const]
      }),
    )
  }

  /** Undefined for messages that are no query. */
  resolve(
    end: string,
    { message, address }: { readonly message: Buffer; readonly address: string },
  ): Buffer | undefined {
    const query = parseQuery(message)
    if (!query) return undefined
    const name = query.name.toLowerCase().replace(/\.$/, '')
    const known = this.#addresses.get(name)
    const answers =
      known !== undefined && query.type === 'A' ? [{ name: query.name, type: 'A' as const, ttl: 60, data: known }] : []
    const rcode = known === undefined ? ('NXDOMAIN' as const) : ('NOERROR' as const)
    this.#report(end, { name, type: query.type, responseCode: rcode, answers, address })
    const result = { rcode, authoritative: false, answers, authorities: [], additionals: [] }
    return printResponse(query, result, query.udpBytes ?? UDP_BYTES)
  }

  /** What was looked up since the last call, where the account of the end is known. */
  take(): readonly DnsEvent[] {
    const taken = this.#events
    this.#events = []
    return taken
  }

  #report(
    end: string,
    {
      address,
      answers,
      ...query
    }: Pick<DnsEvent, 'name' | 'type' | 'responseCode' | 'answers'> & { readonly address: string },
  ): void {
    const place = this.#network.placeOf(end)
    const eni = this.#network.snapshot.interfaces.get(end)
    if (!place || !eni || this.#events.length >= EVENTS_MAX) return
    const time = Date.now()
    this.#events.push({
      id: `lab:${time}:${++this.#count}`,
      time,
      ...place,
      source: 'dns',
      vpcId: eni.vpc,
      instanceId: eni.instance ?? '',
      // The end itself queries from an address of its own.
      sourceAddress: address === eni.address ? address : eni.address,
      ...query,
      answers: answers.map(({ type, data }) => ({ type, data })),
      transport: 'UDP',
      blocked: false,
    })
  }
}
