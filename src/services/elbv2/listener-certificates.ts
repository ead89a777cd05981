/** Certificates of an HTTPS listener beside its default one: chosen by the name that a client requests (SNI). */
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { checkCertificate, listenerOf } from './listeners.ts'
import { certificatesChanged, PAGE_MAX } from './load-balancers.ts'
import { badMarker, elb, invalid, type ListenerRow, listener } from './resources.ts'

const arnsIn = (list: readonly { readonly CertificateArn?: string | undefined }[] | undefined): readonly string[] =>
  (list ?? []).flatMap(({ CertificateArn }) => CertificateArn ?? [])

const assertSecure = ({ protocol }: ListenerRow): void => {
  if (protocol !== 'HTTPS') throw invalid('Certificates are supported for HTTPS listeners only')
}

export const addListenerCertificates = elb
  .operation('AddListenerCertificates')
  .on(listener.named('ListenerArn'))
  .run(async (call, input, { row, save }) => {
    assertSecure(row)
    const added = arnsIn(input.Certificates)
    if (added.length === 0) throw invalid('A certificate must be specified')
    for (const arn of added) await checkCertificate(call, arn)
    const all = [...new Set([...row.certificates, ...added])]
    // The default certificate is not counted.
    const max = call.quotas['elasticloadbalancing/CertificatesPerLoadBalancer']!
    if (all.length - 1 > max)
      throw elb.fail('TooManyCertificatesException', `The maximum number of certificates, ${max}, has been reached`)
    save({ ...row, certificates: all })
    await certificatesChanged(call, row, row.certificates, all)
    return { Certificates: added.map((CertificateArn) => ({ CertificateArn, IsDefault: false })) }
  })

export const removeListenerCertificates = elb
  .operation('RemoveListenerCertificates')
  .on(listener.named('ListenerArn'))
  .run(async (call, input, { row, save }) => {
    assertSecure(row)
    const removed = arnsIn(input.Certificates)
    if (removed.includes(row.certificates[0]!))
      throw elb.fail('OperationNotPermittedException', 'The default certificate of a listener cannot be removed')
    const certificates = row.certificates.filter((each) => !removed.includes(each))
    save({ ...row, certificates })
    await certificatesChanged(call, row, row.certificates, certificates)
    return {}
  })

export const describeListenerCertificates = elb
  .operation('DescribeListenerCertificates')
  .on(anything)
  .run(async (call, { ListenerArn = '', Marker, PageSize }) => {
    const { certificates } = await listenerOf(call, ListenerArn)
    const shown = certificates.map((CertificateArn, index) => ({ CertificateArn, IsDefault: index === 0 }))
    const { items, next } = await pageOf(call, shown, (each) => `${each.IsDefault ? 0 : 1} ${each.CertificateArn}`, {
      token: Marker,
      size: PageSize ?? PAGE_MAX,
      query: ListenerArn,
      bad: badMarker,
    })
    return { Certificates: [...items], ...(next !== undefined && { NextMarker: next }) }
  })
