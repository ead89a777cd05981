/** TLS security policies: which protocols and cipher suites a listener offers. */
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { badMarker, elb } from './resources.ts'

export interface SslPolicy {
  readonly name: string
  /** `TLSv1.2` */
  readonly protocols: readonly string[]
  readonly ciphers: readonly string[]
}

const TLS13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
const GCM = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
]
const CBC = [
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA384',
]
const SHA1 = ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-AES256-SHA', 'ECDHE-ECDSA-AES256-SHA']
const RSA = ['AES128-GCM-SHA256', 'AES128-SHA256', 'AES128-SHA', 'AES256-GCM-SHA384', 'AES256-SHA256', 'AES256-SHA']

export const SSL_POLICY_DEFAULT = 'ELBSecurityPolicy-TLS13-1-2-Res-2021-06'
export const SSL_POLICY_OF_API = 'ELBSecurityPolicy-2016-08'

/** Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html */
// biome-ignore format: a policy a line
export const sslPolicies: readonly SslPolicy[] = [
  { name: 'ELBSecurityPolicy-2016-08', protocols: ['TLSv1', 'TLSv1.1', 'TLSv1.2'], ciphers: [...GCM, ...CBC, ...SHA1, ...RSA] },
  { name: 'ELBSecurityPolicy-TLS13-1-3-2021-06', protocols: ['TLSv1.3'], ciphers: TLS13 },
  { name: 'ELBSecurityPolicy-TLS13-1-2-2021-06', protocols: ['TLSv1.2', 'TLSv1.3'], ciphers: [...TLS13, ...GCM, ...CBC] },
  { name: 'ELBSecurityPolicy-TLS13-1-2-Res-2021-06', protocols: ['TLSv1.2', 'TLSv1.3'], ciphers: [...TLS13, ...GCM] },
  { name: 'ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06', protocols: ['TLSv1.2', 'TLSv1.3'], ciphers: [...TLS13, ...GCM, ...CBC, 'AES128-GCM-SHA256', 'AES128-SHA256', 'AES256-GCM-SHA384', 'AES256-SHA256'] },
  { name: 'ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06', protocols: ['TLSv1.2', 'TLSv1.3'], ciphers: [...TLS13, ...GCM, ...CBC, ...SHA1, ...RSA] },
  { name: 'ELBSecurityPolicy-TLS13-1-1-2021-06', protocols: ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'], ciphers: [...TLS13, ...GCM, ...CBC, ...SHA1, ...RSA] },
  { name: 'ELBSecurityPolicy-TLS13-1-0-2021-06', protocols: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'], ciphers: [...TLS13, ...GCM, ...CBC, ...SHA1, ...RSA] },
  { name: 'ELBSecurityPolicy-TLS-1-2-2017-01', protocols: ['TLSv1.2'], ciphers: [...GCM, ...CBC, 'AES128-GCM-SHA256', 'AES128-SHA256', 'AES256-GCM-SHA384', 'AES256-SHA256'] },
  { name: 'ELBSecurityPolicy-TLS-1-2-Ext-2018-06', protocols: ['TLSv1.2'], ciphers: [...GCM, ...CBC, ...SHA1, ...RSA] },
  { name: 'ELBSecurityPolicy-FS-1-2-2019-08', protocols: ['TLSv1.2'], ciphers: [...GCM, ...CBC, ...SHA1] },
  { name: 'ELBSecurityPolicy-FS-1-2-Res-2019-08', protocols: ['TLSv1.2'], ciphers: [...GCM, ...CBC] },
  { name: 'ELBSecurityPolicy-FS-1-2-Res-2020-10', protocols: ['TLSv1.2'], ciphers: GCM },
]

export const sslPolicyNamed = (name: string): SslPolicy => {
  const policy = sslPolicies.find((each) => each.name === name)
  if (!policy) throw elb.fail('SSLPolicyNotFoundException', `SSL policy '${name}' not found`)
  return policy
}

export const describeSslPolicies = elb
  .operation('DescribeSSLPolicies')
  .on(anything)
  .run(async (call, { Names, Marker, PageSize }) => {
    const wanted = Names?.length ? Names.map(sslPolicyNamed) : sslPolicies
    const { items, next } = await pageOf(call, wanted, ({ name }) => name, {
      token: Marker,
      size: PageSize ?? 400,
      query: Names,
      bad: badMarker,
    })
    return {
      SslPolicies: items.map(({ name, protocols, ciphers }) => ({
        Name: name,
        SslProtocols: [...protocols],
        Ciphers: ciphers.map((each, index) => ({ Name: each, Priority: index + 1 })),
        SupportedLoadBalancerTypes: ['application', 'network'],
      })),
      ...(next !== undefined && { NextMarker: next }),
    }
  })
