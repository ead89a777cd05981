/**
 * The LDAP servers of each domain, as the operator configured them. Accounts name domains, never addresses: else an
 * account could make the server connect to its own network.
 */

export interface LdapServer {
  /** `ldaps:` speaks TLS at once; `ldap:` always upgrades by StartTLS before anything is sent. */
  readonly url: string
  readonly host: string
  readonly isStartTls: boolean
}

export type DomainServers = ReadonlyMap<string, readonly LdapServer[]>

/** `corp.test=ldaps://dc1.corp.test|ldaps://dc2.corp.test:636,example.org=ldap://ldap.example.org`: MERLON_DIRECTORY_SERVERS. */
export function readDomainServers(text: string | undefined): DomainServers {
  const domains = new Map<string, readonly LdapServer[]>()
  for (const part of (text ?? '').split(',').filter(Boolean)) {
    const [, domain, urls] = /^\s*([a-z0-9.-]+)=(\S+)\s*$/i.exec(part) ?? []
    if (domain === undefined || urls === undefined)
      throw new Error(`MERLON_DIRECTORY_SERVERS: '${part}' is not DOMAIN=URL|URL`)
    domains.set(domain.toLowerCase(), urls.split('|').map(serverOf))
  }
  return domains
}

function serverOf(text: string): LdapServer {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['ldap:', 'ldaps:'].includes(url.protocol) || !url.hostname || !['', '/'].includes(url.pathname))
    throw new Error(`MERLON_DIRECTORY_SERVERS: '${text}' is not ldaps://HOST:PORT or ldap://HOST:PORT`)
  return {
    url: text.replace(/\/$/, ''),
    host: url.hostname.replace(/^\[|\]$/g, ''),
    isStartTls: url.protocol === 'ldap:',
  }
}
