/**
 * The web origins port: the addresses at which browsers reach this installation, as configured; provided by the server.
 * Never an address that only a request names: a forged Host header must not make a response for another service fit.
 */
import { port } from './port.ts'

export interface WebOriginsPort {
  /** `https://merlon.example`, without a path. Empty while no public address is configured. */
  readonly origins: readonly string[]
}

export const webOrigins = port<WebOriginsPort>('web-origins')
