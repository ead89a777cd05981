/** The bar at the top: account, Region, role, dark or light, sign out. */
import TopNavigation from '@cloudscape-design/components/top-navigation'
import { lazy, Suspense, useState } from 'react'
import regions from '../../../models/regions.json'
import { signOut } from '../api/session.ts'
import { useMerlon } from './merlon.tsx'
import { recentRoles } from './settings.ts'
import { applyMode, Mode } from './theme.ts'

const SwitchRole = lazy(() => import('./switch-role.tsx'))

export function TopBar() {
  const merlon = useMerlon()
  const { acting, session, region } = merlon
  const [mode, setMode] = useState(Mode.current())
  const [isSwitching, setSwitching] = useState(false)
  const account = acting.role ? acting.account : (session.principal.accountAlias ?? acting.account)
  const other = mode === 'dark' ? 'light' : 'dark'
  return (
    <>
      <TopNavigation
        identity={{ href: '#/', title: 'Merlon' }}
        i18nStrings={{
          overflowMenuTriggerText: 'More',
          overflowMenuTitleText: 'More',
          overflowMenuBackIconAriaLabel: 'Back',
          overflowMenuDismissIconAriaLabel: 'Close',
        }}
        utilities={[
          {
            type: 'button',
            iconName: 'contrast' as never,
            iconSvg: (
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 12V3a5 5 0 0 1 0 10Z" fill="currentColor" stroke="none" />
              </svg>
            ),
            ariaLabel: `Use ${other} colors`,
            title: `Use ${other} colors`,
            onClick: () => {
              applyMode(other)
              setMode(other)
            },
          },
          {
            type: 'menu-dropdown',
            text: region,
            ariaLabel: `Region ${region}`,
            items: regions.map((id: string) => ({ id, text: id, disabled: id === region })),
            onItemClick: ({ detail }) => merlon.setRegion(detail.id),
          },
          {
            type: 'menu-dropdown',
            iconName: 'user-profile',
            text: acting.name,
            description: `Account ${account}`,
            ariaLabel: `Signed in as ${acting.name}, account ${account}`,
            items: [
              ...(acting.role ? [{ id: 'back', text: 'Back to your own access' }] : []),
              ...recentRoles()
                .filter(({ account: id, role }) => id !== acting.role?.account || role !== acting.role.role)
                .map(({ account: id, role }) => ({ id: `role/${id}/${role}`, text: `${role} in ${id}` })),
              { id: 'switch', text: 'Switch role…' },
              { id: 'security', text: 'Security credentials', href: '/signin/security' },
              { id: 'out', text: 'Sign out' },
            ],
            onItemClick: ({ detail }) => {
              if (detail.id === 'switch') setSwitching(true)
              else if (detail.id === 'back') merlon.switchBack()
              else if (detail.id === 'out') signOut(merlon.session).finally(() => window.location.assign('/signin'))
              else if (detail.id.startsWith('role/')) {
                const [, id = '', ...role] = detail.id.split('/')
                merlon.switchRole({ account: id, role: role.join('/') }).catch(() => setSwitching(true))
              }
            },
          },
        ]}
      />
      {isSwitching && (
        <Suspense>
          <SwitchRole onClose={() => setSwitching(false)} />
        </Suspense>
      )}
    </>
  )
}
