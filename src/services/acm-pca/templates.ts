/**
 * Certificate templates: what a certificate may be used for, and what of a request passes through.
 * Source: https://docs.aws.amazon.com/privateca/latest/userguide/template-definitions.html
 */
import { extendedKeyUsages, type KeyUsage } from '../../engines/x509/extensions.ts'
import { pca } from './resources.ts'

export interface Template {
  readonly isAuthority: boolean
  readonly isRoot: boolean
  readonly pathLength?: number
  readonly keyUsages: readonly KeyUsage[]
  readonly extendedKeyUsages: readonly string[]
  readonly basicConstraints: 'critical' | 'absent'
  /** Which extensions the request, and the call, may add. */
  readonly passesCsr: boolean
  readonly passesApi: boolean
}

const { SERVER_AUTH, CLIENT_AUTH, CODE_SIGNING, OCSP_SIGNING } = extendedKeyUsages
const AUTHORITY: readonly KeyUsage[] = ['digitalSignature', 'keyCertSign', 'cRLSign']
const LEAF: readonly KeyUsage[] = ['digitalSignature', 'keyEncipherment']
const SIGNER: readonly KeyUsage[] = ['digitalSignature']

type Kind = Omit<Template, 'passesCsr' | 'passesApi'>

const leaf = (keyUsages: readonly KeyUsage[], ...usages: readonly string[]): Kind => ({
  isAuthority: false,
  isRoot: false,
  keyUsages,
  extendedKeyUsages: usages,
  basicConstraints: 'critical',
})
const authorityOf = (pathLength?: number, isRoot = false): Kind => ({
  isAuthority: true,
  isRoot,
  ...(pathLength !== undefined && { pathLength }),
  keyUsages: AUTHORITY,
  extendedKeyUsages: [],
  basicConstraints: 'critical',
})

const KINDS: Readonly<Record<string, Kind>> = {
  EndEntityCertificate: leaf(LEAF, SERVER_AUTH, CLIENT_AUTH),
  EndEntityServerAuthCertificate: leaf(LEAF, SERVER_AUTH),
  EndEntityClientAuthCertificate: leaf(LEAF, CLIENT_AUTH),
  CodeSigningCertificate: leaf(SIGNER, CODE_SIGNING),
  OCSPSigningCertificate: leaf(SIGNER, OCSP_SIGNING),
  BlankEndEntityCertificate: { ...leaf([]), basicConstraints: 'absent' },
  BlankEndEntityCertificate_CriticalBasicConstraints: leaf([]),
  RootCACertificate: authorityOf(undefined, true),
  BlankRootCACertificate: authorityOf(undefined, true),
  ...Object.fromEntries(
    [0, 1, 2, 3].flatMap((length) => [
      [`SubordinateCACertificate_PathLen${length}`, authorityOf(length)],
      [`BlankSubordinateCACertificate_PathLen${length}`, { ...authorityOf(length), keyUsages: [] }],
      [`BlankRootCACertificate_PathLen${length}`, authorityOf(length, true)],
    ]),
  ),
}

const DEFAULT = 'EndEntityCertificate/V1'
const ARN = /^arn:aws[\w-]*:acm-pca:::template\/(\w+?)(?:_(APIPassthrough|CSRPassthrough|APICSRPassthrough))?\/V1$/

/** Throws `InvalidArgsException` for a template that does not exist. */
export function templateOf(arn: string = `arn:aws:acm-pca:::template/${DEFAULT}`): Template {
  const [, name = '', passthrough = ''] = ARN.exec(arn) ?? []
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
  if (!kind) throw pca.fail('InvalidArgsException', `The template ${arn} does not exist.`)
  return { ...kind, passesCsr: /CSR/.test(passthrough), passesApi: /API/.test(passthrough) }
}
