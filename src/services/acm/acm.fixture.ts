/** A Merlon in memory with certificates: DNS and mail in the test's hands. */
import { sign } from 'node:crypto'
import { ACMClient, DescribeCertificateCommand, RequestCertificateCommand } from '@aws-sdk/client-acm'
import { cloud } from '../../../test/cloud.ts'
import { buildCertificate, pem } from '../../engines/x509/certificate-builder.ts'
import { subjectAltName } from '../../engines/x509/extensions.ts'
import { attributeOids, distinguishedName } from '../../engines/x509/names.ts'
import { newSerial } from '../../kernel/certificate-serial.ts'
import { type DomainAnswer, domainRecords } from '../../kernel/ports/domain-records.ts'
import { type Mail, type MailPort, mail } from '../../kernel/ports/mail.ts'
import { provide } from '../../kernel/ports/port.ts'
import { makeKeyPair } from './private-keys.ts'

/** A certificate that signed itself, and its key: PEM. */
export async function selfSigned(
  names: readonly string[],
  from = Date.now() - HOUR_MS,
  until = Date.now() + 90 * DAY_MS,
): Promise<{ readonly Certificate: Buffer; readonly PrivateKey: Buffer }> {
  const { privateKey, publicKey } = await makeKeyPair('EC_prime256v1')
  const name = distinguishedName([{ oid: attributeOids.CommonName, value: names[0]! }])
  const der = await buildCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      publicKey,
      notBefore: new Date(from),
      notAfter: new Date(until),
      algorithm: 'SHA256WITHECDSA',
      extensions: [subjectAltName(names)],
    },
    async (message) => sign('sha256', message, privateKey),
  )
  return {
    Certificate: Buffer.from(pem('CERTIFICATE', der)),
    PrivateKey: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  }
}

export const HOUR_MS = 60 * 60 * 1000
export const DAY_MS = 24 * HOUR_MS

/** `mailer`: in place of mail in memory. */
export async function certificatesCloud({
  mailer,
  ...options
}: Parameters<typeof cloud>[0] & { readonly mailer?: MailPort } = {}) {
  /** `name type` → the data of its records. */
  const world = new Map<string, readonly unknown[]>()
  const state = { isDown: false }
  const mails: Mail[] = []
  const lookup = async (name: string, type: string): Promise<readonly DomainAnswer[]> => {
    const data = world.get(`${name} ${type}`)
    const records = (data ?? []).map((each) => ({ name: name.replace(/\.$/, ''), type, data: each }))
    return [{ resolver: 'test:53', rcode: state.isDown ? undefined : data ? 'NOERROR' : 'NXDOMAIN', records }]
  }
  const deliver = async (message: Mail) => void mails.push(message)
  const it = await cloud({
    ...options,
    provides: [provide(domainRecords, { lookup }), provide(mail, mailer ?? { deliver }), ...(options.provides ?? [])],
  })
  const acm = it.client(ACMClient)
  const request = async (DomainName: string, more: object = {}) =>
    (
      await acm.send(
        new RequestCertificateCommand({ DomainName, ValidationMethod: 'DNS', KeyAlgorithm: 'EC_prime256v1', ...more }),
      )
    ).CertificateArn!
  const describe = async (CertificateArn: string) =>
    (await it.client(ACMClient).send(new DescribeCertificateCommand({ CertificateArn }))).Certificate!
  /** Puts the records that prove a certificate's domains into public DNS. */
  const prove = async (arn: string) => {
    for (const { ResourceRecord } of (await describe(arn)).DomainValidationOptions!)
      world.set(`${ResourceRecord!.Name} CNAME`, [ResourceRecord!.Value!.replace(/\.$/, '')])
  }
  const events = async (name: string) =>
    (await it.store.log({ account: '111122223333', limit: 100 }))
      .map(({ body }) => JSON.parse(body))
      .filter(({ eventName }) => eventName === name)
  return { ...it, acm, request, describe, prove, world, state, mails, events }
}
