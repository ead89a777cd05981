/** The web origin port: the address of pages, provided by the server. Within a web route use `call.webOrigin`. */
import { port } from './port.ts'

export interface WebOriginPort {
  /**
   * Such as `https://console.example`, without a path: what an operator configured, or else the address that the server
   * listens on. Undefined while pages are not served.
   */
  origin(): string | undefined
}

export const webOrigin = port<WebOriginPort>('web-origin')
