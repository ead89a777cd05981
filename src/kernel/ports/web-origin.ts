/** The web origin port: the address of pages, provided by the server. Within a web route use `call.webOrigin`. */
import { port } from './port.ts'

export interface WebOriginPort {
  /**
   * Such as `https://console.example`, without a path: what an operator configured, or else the address that the server
   * listens on. Undefined while pages are not served.
   */
  origin(): string | undefined
  /**
   * All addresses at which browsers reach this installation: that of pages, and the configured one of the API. Never an
   * address that only a request names: a forged Host header must not make a response for another service fit.
   */
  origins(): readonly string[]
}

export const webOrigin = port<WebOriginPort>('web-origin')
