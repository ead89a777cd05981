/** The certificate of a server's listeners: from files, of its own authority, or issued by its own ACM. */
import { certificates, type UsableCertificate } from '../../kernel/ports/certificates.ts'
import { servedDomains } from '../../kernel/ports/served-domains.ts'
import { CertificateTls } from '../listen/certificate-tls.ts'
import { DomainTls } from '../listen/domain-tls.ts'
import { namesOfServer, OwnAuthority } from '../listen/own-authority.ts'
import { TlsFiles, type TlsSource } from '../listen/tls.ts'
import type { Cloud } from './cloud.ts'
import type { Opened } from './opened.ts'
import type { ServerOptions } from './server-options.ts'

/** The TLS of both listeners. Throws when its files cannot be used. */
export function tlsSource(options: ServerOptions, opened: Opened): TlsSource | undefined {
  const { tls, host, publicUrl, web, logger } = options
  if (tls === undefined) return undefined
  const urls = [publicUrl, web?.url].filter((url) => url !== undefined)
  const own: TlsSource =
    tls.kind === 'files'
      ? new TlsFiles(tls, logger)
      : new OwnAuthority(tls.directory, namesOfServer([host, ...urls.map(hostOf), ...tls.names]), logger)
  const whileOpen = (read: (cloud: Cloud) => Promise<UsableCertificate | undefined>) =>
    opened.during(read, async () => undefined)
  const arn = tls.certificate
  const servers =
    arn === undefined
      ? own
      : new CertificateTls({
          arn,
          fallback: own,
          read: () => whileOpen((cloud) => readOwnCertificate(cloud, arn)),
          logger,
        })
  return new DomainTls({
    own: servers,
    read: (name) => whileOpen((cloud) => readDomainCertificate(cloud, name)),
    logger,
  })
}

async function readDomainCertificate(
  { store, use, isWhole }: Cloud,
  name: string,
): Promise<UsableCertificate | undefined> {
  // Clients invent names: none of them opens services that have no domain yet.
  if (!isWhole()) return undefined
  const arn = await use(servedDomains).certificateOf(store.reader, name)
  return arn === undefined ? undefined : use(certificates).read(store.reader, arn)
}

/** In use by the listeners: so it is renewed, and cannot be deleted. */
async function readOwnCertificate({ store, use, whole }: Cloud, arn: string): Promise<UsableCertificate | undefined> {
  await whole()
  const found = await use(certificates).read(store.reader, arn)
  if (found && !found.inUseBy.includes(LISTENERS))
    await store.run((unit) => use(certificates).setUse(unit, arn, LISTENERS, true))
  return found
}

const LISTENERS = 'arn:aws:merlon:::listeners'

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '')
