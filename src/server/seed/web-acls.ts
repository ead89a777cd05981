/** Seeds of WAF: Regional IP sets and web ACLs. Associations are not exported. */
import type * as Waf from '@aws-sdk/client-wafv2'
import type { Api } from '../../kernel/service/api.ts'
import { compact, inTurn, pagesOf, seedPart, seedTags, tagsOf } from './part.ts'

const wafv2: Api<typeof Waf> = { id: 'wafv2' }
const PAGE = 100

/** What `GetWebACL` returns and `CreateWebACL` takes. */
const SETTINGS = [
  'Rules',
  'CustomResponseBodies',
  'CaptchaConfig',
  'ChallengeConfig',
  'TokenDomains',
  'AssociationConfig',
  'DataProtectionConfig',
] as const

export const ipSets = seedPart({
  kind: 'ipSets',
  labels: ['name'],
  members: { name: true, id: true, addresses: true, description: true, tags: true },
  add: async ({ call }, { name, id, addresses, description, tags }, step) => {
    await step([], `IP set '${name}'`, () =>
      call(
        wafv2,
        'CreateIPSet',
        {
          Name: name,
          Scope: 'REGIONAL',
          IPAddressVersion: addresses.some((each) => each.includes(':')) ? 'IPV6' : 'IPV4',
          Addresses: [...addresses],
          Description: description,
          ...(tags && { Tags: tagsOf(tags) }),
        },
        id,
      ),
    )
  },
  export: async ({ call }) => {
    const all = await pagesOf(async (NextMarker) => {
      const page = await call(wafv2, 'ListIPSets', { Scope: 'REGIONAL', Limit: PAGE, NextMarker })
      return { items: page.IPSets, next: page.NextMarker }
    })
    return inTurn(all.toSorted(byName), async ({ Name = '', Id = '', ARN = '' }) => {
      const { IPSet } = await call(wafv2, 'GetIPSet', { Name, Id, Scope: 'REGIONAL' })
      const { TagInfoForResource } = await call(wafv2, 'ListTagsForResource', { ResourceARN: ARN })
      const { Addresses = [], Description } = IPSet!
      return {
        ...compact({ name: Name, id: Id, description: Description, tags: seedTags(TagInfoForResource?.TagList) }),
        addresses: Addresses,
      }
    })
  },
})

export const webAcls = seedPart({
  kind: 'webAcls',
  labels: ['name'],
  members: { name: true, id: true, default: true, settings: true, description: true, tags: true },
  add: async ({ call }, { name, id, default: action = 'allow', settings, description, tags }, step) => {
    await step([], `web ACL '${name}'`, () =>
      call(
        wafv2,
        'CreateWebACL',
        {
          ...settings,
          Name: name,
          Scope: 'REGIONAL',
          DefaultAction: action === 'block' ? { Block: {} } : { Allow: {} },
          VisibilityConfig: { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: name },
          Description: description,
          ...(tags && { Tags: tagsOf(tags) }),
        },
        id,
      ),
    )
  },
  export: async ({ call }) => {
    const all = await pagesOf(async (NextMarker) => {
      const page = await call(wafv2, 'ListWebACLs', { Scope: 'REGIONAL', Limit: PAGE, NextMarker })
      return { items: page.WebACLs, next: page.NextMarker }
    })
    return inTurn(all.toSorted(byName), async ({ Name = '', Id = '', ARN = '' }) => {
      const { WebACL } = await call(wafv2, 'GetWebACL', { Name, Id, Scope: 'REGIONAL' })
      const { TagInfoForResource } = await call(wafv2, 'ListTagsForResource', { ResourceARN: ARN })
      return compact({
        name: Name,
        id: Id,
        default: WebACL!.DefaultAction?.Block ? ('block' as const) : undefined,
        settings: compact(Object.fromEntries(SETTINGS.map((name) => [name, WebACL![name]]))),
        description: WebACL!.Description,
        tags: seedTags(TagInfoForResource?.TagList),
      })
    })
  },
})

interface Named {
  readonly Name?: string | undefined
}

const byName = (a: Named, b: Named): number => (a.Name ?? '').localeCompare(b.Name ?? '', 'en')
