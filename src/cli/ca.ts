/** `merlon ca`: the certificate authority of `--tls auto`, for clients to trust. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { InstallationError } from '../server/compose/operator-errors.ts'
import { AUTHORITY_DIRECTORY, authorityCertificateOf, readAuthority } from '../server/listen/own-authority.ts'
import { dataOption } from './admin-client.ts'
import { readOptions } from './command.ts'
import { commandGroup } from './group.ts'

const options = {
  ...dataOption,
  dev: { type: 'boolean', about: "The authority of 'merlon start --dev', which has no data directory" },
} as const

interface Place {
  readonly data?: string | undefined
  readonly dev?: boolean | undefined
}

/** A development server keeps nothing but its authority, so that browsers need to trust it only once. */
export function authorityDirectoryOf({ data = '.merlon', dev = false }: Place): string {
  if (!dev) return join(data, AUTHORITY_DIRECTORY)
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'merlon', AUTHORITY_DIRECTORY)
}

function authorityIn(directory: string) {
  const authority = readAuthority(directory)
  if (authority) return { ...authority, file: authorityCertificateOf(directory) }
  throw new InstallationError(
    `There is no certificate authority in ${directory}. The first start with TLS makes one: merlon start --tls auto`,
    'MERLON_FILE_MISSING',
  )
}

/** Where systems keep authorities that an administrator adds, and what reads them. */
const STORES = [
  { directory: '/usr/local/share/ca-certificates', extension: 'crt', command: ['update-ca-certificates'] },
  { directory: '/etc/pki/ca-trust/source/anchors', extension: 'pem', command: ['update-ca-trust', 'extract'] },
] as const
const KEYCHAIN = '/Library/Keychains/System.keychain'

function install(file: string, name: string): string {
  if (process.platform === 'darwin') {
    execFileSync('security', ['add-trusted-cert', '-d', '-r', 'trustRoot', '-k', KEYCHAIN, file], { stdio: 'inherit' })
    return KEYCHAIN
  }
  const store = STORES.find(({ directory }) => existsSync(directory))
  if (!store)
    throw new InstallationError(
      `The directory for certificate authorities of this system is not known. Add ${file} with the tools of the system.`,
      'MERLON_FILE_NOT_USABLE',
    )
  const target = join(store.directory, `${name}.${store.extension}`)
  copyFileSync(file, target)
  const [command, ...words] = store.command
  execFileSync(command, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  return target
}

export const ca = commandGroup({
  name: 'ca',
  about: "The certificate authority of 'merlon start --tls auto'",
  commands: [
    {
      name: 'show',
      about: 'Print the certificate of the authority, and how clients trust it.',
      options,
      async run(words) {
        const { certificate, names, file } = authorityIn(authorityDirectoryOf(readOptions(options, words)))
        process.stdout.write(
          [
            certificate.toString(),
            `File:        ${file}`,
            `SHA-256:     ${certificate.fingerprint256}`,
            `Valid until: ${new Date(certificate.validTo).toISOString()}`,
            `Limited to:  ${names.join(', ')}, and names below these`,
            '',
            'AWS CLI and boto3:  export AWS_CA_BUNDLE=' + file,
            'Node.js:            export NODE_EXTRA_CA_CERTS=' + file,
            'curl:               curl --cacert ' + file,
            'This system:        merlon ca install (as root)',
            '',
          ].join('\n'),
        )
        return 0
      },
    },
    {
      name: 'install',
      about: 'Add the authority to those that this system trusts. Needs the rights of an administrator.',
      options,
      async run(words) {
        const { certificate, file } = authorityIn(authorityDirectoryOf(readOptions(options, words)))
        const name = `merlon-${certificate.fingerprint256.replaceAll(':', '').slice(0, 12).toLowerCase()}`
        process.stdout.write(`This system trusts the authority now: ${install(file, name)}\n`)
        return 0
      },
    },
  ],
})
