/** Apache with Debian's mod_auth_mellon: a service provider of SAML that others wrote. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listening } from './slapd.ts'

export interface Mellon {
  readonly url: string
  readonly metadata: string
  stop(): Promise<void>
}

const MODULES = '/usr/lib/apache2/modules'

/**
 * `/private` needs a sign-in, and shows the name and the attribute `name`. Requests are signed.
 * `identityProvider` is its metadata, XML.
 */
export async function mellon(
  port: number,
  identityProvider: (serviceProvider: string) => Promise<string>,
): Promise<Mellon> {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-mellon-'))
  const file = (name: string) => join(folder, name)
  const url = `http://localhost:${port}`
  const arguments_ = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=sp']
  execFileSync('openssl', [...arguments_, '-keyout', file('key.pem'), '-out', file('cert.pem')], { stdio: 'ignore' })
  const certificate = execFileSync('openssl', ['x509', '-in', file('cert.pem'), '-outform', 'DER']).toString('base64')
  const metadata = `<EntityDescriptor entityID="${url}/mellon/metadata" xmlns="urn:oasis:names:tc:SAML:2.0:metadata">
<SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${url}/mellon/logout"/>
<NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>
<AssertionConsumerService isDefault="true" index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${url}/mellon/postResponse"/>
</SPSSODescriptor></EntityDescriptor>`
  writeFileSync(file('sp.xml'), metadata)
  writeFileSync(file('idp.xml'), await identityProvider(metadata))
  mkdirSync(file('www'))
  mkdirSync(file('www/private'))
  writeFileSync(file('www/private/index.html'), '<!--#echo var="REMOTE_USER" --> is <!--#echo var="MELLON_name" -->\n')
  const modules = ['mpm_event', 'authz_core', 'authz_user', 'authn_core', 'dir', 'include', 'auth_mellon']
  writeFileSync(
    file('apache.conf'),
    `${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${file('pid')}
ErrorLog ${file('error.log')}
DocumentRoot ${file('www')}
DirectoryIndex index.html
User www-data
Group www-data
MellonLockFile ${file('lock')}
<Directory ${file('www')}>
Options +Includes
SetOutputFilter INCLUDES
</Directory>
<Location />
MellonEnable info
MellonEndpointPath /mellon
MellonSPPrivateKeyFile ${file('key.pem')}
MellonSPCertFile ${file('cert.pem')}
MellonSPMetadataFile ${file('sp.xml')}
MellonIdPMetadataFile ${file('idp.xml')}
MellonSecureCookie Off
MellonSignatureMethod rsa-sha256
</Location>
<Location /private>
AuthType Mellon
MellonEnable auth
Require valid-user
</Location>
`,
  )
  execFileSync('chmod', ['-R', 'a+rX', folder])
  execFileSync('chown', ['-R', 'www-data', folder])
  const running = spawn('/usr/sbin/apache2', ['-DFOREGROUND', '-f', file('apache.conf')], { stdio: 'ignore' })
  const ended = new Promise((resolve) => running.once('exit', resolve))
  await listening(port)
  return {
    url,
    metadata,
    stop: async () => {
      running.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
