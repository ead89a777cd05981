/** The pages by address, each loaded when it is first opened. */
import { type ComponentType, type LazyExoticComponent, lazy } from 'react'

/** A page gets the segments behind its own, such as the name of a user. */
export type PageComponent = ComponentType<{ readonly rest: readonly string[] }>
type Lazy = LazyExoticComponent<PageComponent>

const page = (load: () => Promise<{ default: PageComponent }>): Lazy => lazy(load)

const home = page(() => import('../pages/home.tsx'))
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

export function pageFor(segments: readonly string[]): { readonly page: Lazy; readonly rest: readonly string[] } {
  if (segments.length === 0) return { page: home, rest: [] }
  const route = routes.find(({ path }) => path.every((part, at) => segments[at] === part))
  const rest = segments.slice(route?.path.length ?? 0)
  const found = rest.length === 0 ? route?.list : route?.detail
  return { page: found ?? notFound, rest }
}
