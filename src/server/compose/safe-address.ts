/** Which addresses a server may listen on. */
import { isIP } from 'node:net'
import { InstallationError } from './installation.ts'
import type { ServerOptions } from './server-options.ts'

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

export function refuseBeyondLoopback(host: string, why: string, otherwise = ''): void {
  if (!isLoopback(host)) {
    throw new InstallationError(
      `Merlon will not listen on ${host}: ${why}, so only this machine may reach it. Use --host 127.0.0.1.${otherwise}`,
      'MERLON_ADDRESS_NOT_ALLOWED',
    )
  }
}

export function refusePlainHttp({ host, tls, allowsPlainHttp }: ServerOptions): void {
  if (isLoopback(host) || tls || allowsPlainHttp) return
  throw new InstallationError(
    `Merlon does not send plain HTTP beyond this machine, and ${host} is no loopback address. Configure TLS: --tls-cert FILE --tls-key FILE, or --tls auto. On a network that you trust: --insecure-http.`,
    'MERLON_TLS_REQUIRED',
  )
}
