/** The pages by address: the first is loaded with the frame, every other when it is first opened. */
import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import Home from '../pages/home.tsx'

/** A page gets the segments behind its own, such as the name of a user. */
export type PageComponent = ComponentType<{ readonly rest: readonly string[] }>
type Lazy = LazyExoticComponent<PageComponent>

const loads = new Map<unknown, () => Promise<unknown>>()

function page(load: () => Promise<{ default: PageComponent }>): Lazy {
  const component = lazy(load)
  loads.set(component, load)
  return component
}

const notFound = page(() => import('../pages/not-found.tsx'))

interface Route {
  readonly path: readonly string[]
  readonly list: Lazy
  /** With more segments. */
  readonly detail?: Lazy
}

const routes: readonly Route[] = [
  {
    path: ['iam', 'users'],
    list: page(() => import('../pages/iam/users.tsx')),
    detail: page(() => import('../pages/iam/user.tsx')),
  },
  {
    path: ['iam', 'groups'],
    list: page(() => import('../pages/iam/groups.tsx')),
    detail: page(() => import('../pages/iam/group.tsx')),
  },
  {
    path: ['iam', 'roles'],
    list: page(() => import('../pages/iam/roles.tsx')),
    detail: page(() => import('../pages/iam/role.tsx')),
  },
  {
    path: ['iam', 'policies'],
    list: page(() => import('../pages/iam/policies.tsx')),
    detail: page(() => import('../pages/iam/policy.tsx')),
  },
  { path: ['iam', 'who-can'], list: page(() => import('../pages/iam/who-can.tsx')) },
  { path: ['iam', 'what-can'], list: page(() => import('../pages/iam/what-can.tsx')) },
  {
    path: ['organization'],
    list: page(() => import('../pages/organizations/organization.tsx')),
    detail: page(() => import('../pages/organizations/control-policy.tsx')),
  },
  { path: ['identity-center', 'assign'], list: page(() => import('../pages/identity-center/assign.tsx')) },
  {
    path: ['identity-center', 'people'],
    list: page(() => import('../pages/identity-center/people.tsx')),
    detail: page(() => import('../pages/identity-center/principal.tsx')),
  },
  {
    path: ['identity-center', 'permission-sets'],
    list: page(() => import('../pages/identity-center/permission-sets.tsx')),
    detail: page(() => import('../pages/identity-center/permission-set.tsx')),
  },
  { path: ['identity-center'], list: page(() => import('../pages/identity-center/matrix.tsx')) },
  {
    path: ['user-pools'],
    list: page(() => import('../pages/cognito/pools.tsx')),
    detail: page(() => import('../pages/cognito/pool.tsx')),
  },
  { path: ['certificates', 'authorities'], list: page(() => import('../pages/certificates/authorities.tsx')) },
  {
    path: ['certificates'],
    list: page(() => import('../pages/certificates/certificates.tsx')),
    detail: page(() => import('../pages/certificates/certificate.tsx')),
  },
  { path: ['network', 'path'], list: page(() => import('../pages/network/path.tsx')) },
  {
    path: ['network'],
    list: page(() => import('../pages/network/vpcs.tsx')),
    detail: page(() => import('../pages/network/vpc.tsx')),
  },
  {
    path: ['waf'],
    list: page(() => import('../pages/waf/web-acls.tsx')),
    detail: page(() => import('../pages/waf/web-acl.tsx')),
  },
  {
    path: ['threats'],
    list: page(() => import('../pages/guardduty/findings.tsx')),
    detail: page(() => import('../pages/guardduty/finding.tsx')),
  },
  {
    path: ['kms'],
    list: page(() => import('../pages/kms/keys.tsx')),
    detail: page(() => import('../pages/kms/key.tsx')),
  },
  {
    path: ['secrets'],
    list: page(() => import('../pages/secrets/secrets.tsx')),
    detail: page(() => import('../pages/secrets/secret.tsx')),
  },
  { path: ['audit', 'proof'], list: page(() => import('../pages/cloudtrail/proof.tsx')) },
  {
    path: ['audit'],
    list: page(() => import('../pages/cloudtrail/events.tsx')),
    detail: page(() => import('../pages/cloudtrail/event.tsx')),
  },
  {
    path: ['services'],
    list: page(() => import('../pages/browse/services.tsx')),
    detail: page(() => import('../pages/browse/service.tsx')),
  },
]

export function pageFor(segments: readonly string[]): {
  readonly page: Lazy | typeof Home
  readonly rest: readonly string[]
} {
  if (segments.length === 0) return { page: Home, rest: [] }
  const route = routes.find(({ path }) => path.every((part, at) => segments[at] === part))
  const rest = segments.slice(route?.path.length ?? 0)
  const found = rest.length === 0 ? route?.list : route?.detail
  return { page: found ?? notFound, rest }
}

/** Begins to load a page before it is shown. A failure is that of the page, when it is shown. */
export function preload(segments: readonly string[]): void {
  loads
    .get(pageFor(segments).page)?.()
    .catch(() => undefined)
}
