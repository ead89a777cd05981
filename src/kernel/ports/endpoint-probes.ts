/**
 * The endpoint probes port: whether an endpoint on another host is well; provided by the server, which decides what may be reached.
 *
 * @example
 * const { isGood, status } = await use(endpointProbes).probe(endpoint) // true, 'Success: HTTP Status Code 200, OK'
 */
import { port } from './port.ts'

export interface ProbedEndpoint {
  readonly protocol: 'HTTP' | 'HTTPS' | 'TCP'
  /** undefined: the IPv4 address of the host is looked up. */
  readonly address: string | undefined
  /** In the Host header, and the server name of TLS. */
  readonly host: string | undefined
  readonly port: number
  readonly path: string
  /** A text that has to be in the first 5,120 bytes of the body. */
  readonly search: string | undefined
  readonly sendsServerName: boolean
  /** Identifies the health check to the owner of the endpoint, in User-Agent. */
  readonly reference: string
}

export interface ProbeResult {
  readonly isGood: boolean
  /** In words, as `GetHealthCheckStatus` shows it. Holds nothing that the endpoint sent but the status code. */
  readonly status: string
}

export interface EndpointProbesPort {
  /** Whether probes may connect to the address. */
  isAllowed(address: string): boolean
  /** Never throws. Ends within ten seconds of its begin; it may wait for others before. */
  probe(endpoint: ProbedEndpoint): Promise<ProbeResult>
}

export const endpointProbes = port<EndpointProbesPort>('endpoint-probes')
