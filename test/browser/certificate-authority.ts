/** A root authority and a subordinate of it, both active, as an administrator makes them. */
import { Client, overHttp } from '../../src/kernel/client/client.ts'

interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const SIGNING = 'SHA256WITHECDSA'
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Named `Corp Root` and `Corp Services`. Returns the name of the subordinate. */
export async function certifiedAuthorities(api: string, { accessKeyId, secretAccessKey }: Keys): Promise<string> {
  const client = new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(api) })
  const call = (operation: string, input: object): Promise<Record<string, string>> =>
    client.json('acm-pca', `ACMPrivateCA.${operation}`, input)
  const create = async (CertificateAuthorityType: string, CommonName: string) => {
    const made = await call('CreateCertificateAuthority', {
      CertificateAuthorityType,
      CertificateAuthorityConfiguration: {
        KeyAlgorithm: 'EC_prime256v1',
        SigningAlgorithm: SIGNING,
        Subject: { CommonName },
      },
    })
    return made['CertificateAuthorityArn']!
  }
  /** Certifies one by another; a root by itself. */
  const certify = async (issuer: string, subject: string, template: string, years: number) => {
    const { Csr } = await call('GetCertificateAuthorityCsr', { CertificateAuthorityArn: subject })
    const { CertificateArn } = await call('IssueCertificate', {
      CertificateAuthorityArn: issuer,
      Csr: base64(Csr!),
      SigningAlgorithm: SIGNING,
      TemplateArn: `arn:aws:acm-pca:::template/${template}/V1`,
      Validity: { Type: 'YEARS', Value: years },
    })
    const { Certificate, CertificateChain } = await call('GetCertificate', {
      CertificateAuthorityArn: issuer,
      CertificateArn,
    })
    await call('ImportCertificateAuthorityCertificate', {
      CertificateAuthorityArn: subject,
      Certificate: base64(Certificate!),
      ...(issuer !== subject && { CertificateChain: base64(CertificateChain!) }),
    })
  }
  const root = await create('ROOT', 'Corp Root')
  await certify(root, root, 'RootCACertificate', 5)
  const subordinate = await create('SUBORDINATE', 'Corp Services')
  await certify(root, subordinate, 'SubordinateCACertificate_PathLen0', 2)
  return 'Corp Services'
}
