/**
 * PostgreSQL URLs as libpq reads them: one host, or several in the order in which they are tried. Error texts never hold
 * the URL, because it may contain a password.
 */

export class PostgresUrlError extends Error {
  override readonly name = 'PostgresUrlError'
}

const HOSTS_MAX = 16
/** Scheme, user and password, hosts, the rest. A comma or an at sign in a password separates no hosts. */
const PARTS = /^(postgres(?:ql)?:\/\/)((?:[^/?#]*@)?)([^/?#@]*)([/?#].*)?$/
/** Merlon writes, so the other values of libpq name servers that are of no use to it. */
const WRITABLE = new Set(['any', 'primary', 'read-write'])

/**
 * The same URL once for each of its hosts. Hosts come from `postgres://a:1,b:2/…`, or from `?host=a,b&port=1,2`, which
 * wins as in libpq.
 */
export function hostUrls(text: string): readonly [string, ...string[]] {
  const parts = PARTS.exec(text)
  if (!parts) throw new PostgresUrlError('This is not a PostgreSQL URL: it begins with postgres:// or postgresql://.')
  const [, scheme, user, authority, rest = ''] = parts
  const urls = authority!.split(',').map((host) => `${scheme}${user}${host}${rest}`)
  if (urls.length > HOSTS_MAX) throw tooMany()
  if (!urls.every((url) => URL.canParse(url)))
    throw new PostgresUrlError(
      'This PostgreSQL URL has an invalid host, port or path. Several hosts are written HOST:PORT,HOST:PORT.',
    )
  const { searchParams } = new URL(urls[0]!)
  const session = searchParams.get('target_session_attrs') ?? 'any'
  if (!WRITABLE.has(session))
    throw new PostgresUrlError(
      `target_session_attrs=${session} selects servers that Merlon cannot write to. Use target_session_attrs=read-write.`,
    )
  const named = searchParams.get('host')?.split(',') ?? []
  return (named.length > 1 ? urlsOfParameters(urls[0]!, named) : urls) as [string, ...string[]]
}

function urlsOfParameters(text: string, hosts: readonly string[]): string[] {
  if (hosts.length > HOSTS_MAX) throw tooMany()
  const ports = new URL(text).searchParams.get('port')?.split(',') ?? []
  if (ports.length > 1 && ports.length !== hosts.length)
    throw new PostgresUrlError(
      `This PostgreSQL URL has ${hosts.length} hosts and ${ports.length} ports. Give one port, or one for each host.`,
    )
  return hosts.map((host, n) => {
    const url = new URL(text)
    url.searchParams.set('host', host)
    const port = ports.length > 1 ? ports[n] : ports[0]
    if (port) url.searchParams.set('port', port)
    return url.href
  })
}

const tooMany = () => new PostgresUrlError(`This PostgreSQL URL has more than ${HOSTS_MAX} hosts.`)
