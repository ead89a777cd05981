/** The frame of the console: the bar at the top, the navigation and the current page. */
import Button from '@cloudscape-design/components/button'
import { I18nProvider } from '@cloudscape-design/components/i18n'
import SideNavigation from '@cloudscape-design/components/side-navigation'
import Spinner from '@cloudscape-design/components/spinner'
import { Component, type ReactNode, Suspense, useEffect, useRef, useState } from 'react'
import { ErrorAlert } from '../ui/error-alert.tsx'
import { NoticeBar } from '../ui/notices.tsx'
import { messages } from './messages.ts'
import { pageFor } from './pages.ts'
import { hrefOf, usePlace } from './router.ts'
import { TopBar } from './top-bar.tsx'

const section = (text: string, ...links: readonly (readonly [text: string, ...segments: string[]])[]) => ({
  type: 'section' as const,
  text,
  items: links.map(([label, ...segments]) => ({ type: 'link' as const, text: label, href: hrefOf(segments) })),
})

const NAVIGATION = [
  { type: 'link' as const, text: 'Home', href: '#/' },
  section(
    'Access',
    ['Users', 'iam', 'users'],
    ['Groups', 'iam', 'groups'],
    ['Roles', 'iam', 'roles'],
    ['Policies', 'iam', 'policies'],
  ),
  section('Questions', ['Who can do this?', 'iam', 'who-can'], ['What can they do?', 'iam', 'what-can']),
  section('Organization', ['Accounts and controls', 'organization']),
  section(
    'Single sign-on',
    ['Who has what where', 'identity-center'],
    ['People and groups', 'identity-center', 'people'],
    ['Permission sets', 'identity-center', 'permission-sets'],
    ['User pools', 'user-pools'],
  ),
  section(
    'Keys and secrets',
    ['KMS keys', 'kms'],
    ['Secrets', 'secrets'],
    ['Certificates', 'certificates'],
    ['Certificate authorities', 'certificates', 'authorities'],
  ),
  section('Network', ['VPCs', 'network'], ['Who reaches what?', 'network', 'path'], ['Web ACLs', 'waf']),
  section('Audit', ['Threats', 'threats'], ['Event history', 'audit'], ['Proof', 'audit', 'proof']),
  section('More', ['All services', 'services']),
]

const LINKS = NAVIGATION.flatMap((each) => ('items' in each ? each.items.map(({ href }) => href) : [each.href]))

export function App() {
  const { segments } = usePlace()
  const here = hrefOf(segments)
  const { page: CurrentPage, rest } = pageFor(segments)
  const main = useRef<HTMLDivElement>(null)
  const before = useRef(here)
  const [isOpen, setOpen] = useState(false)
  useEffect(() => {
    // A screen reader announces the new page, as after a click on a link to another document.
    if (before.current !== here) main.current?.focus({ preventScroll: true })
    before.current = here
    scrollTo(0, 0)
  }, [here])
  const active = LINKS.filter((link) => here === link || here.startsWith(`${link}/`)).sort(
    (a, b) => b.length - a.length,
  )[0]
  return (
    <I18nProvider locale="en" messages={[messages]}>
      <nav aria-label="Skip links">
        <a
          className="skip"
          href={here}
          onClick={(event) => {
            event.preventDefault()
            main.current?.focus()
          }}
        >
          Skip to the page
        </a>
      </nav>
      <div id="top">
        <TopBar />
      </div>
      <div className="frame" data-navigation={isOpen ? 'open' : 'closed'}>
        <div className="navigation-toggle">
          <Button
            iconName="menu"
            variant="icon"
            ariaLabel="Navigation"
            ariaExpanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          />
        </div>
        <nav className="navigation" aria-label="Pages">
          <SideNavigation activeHref={active ?? '#/'} items={NAVIGATION} onFollow={() => setOpen(false)} />
        </nav>
        <main ref={main} tabIndex={-1} className="page">
          <NoticeBar />
          <Failing key={here}>
            <Suspense fallback={<Spinner size="large" />}>
              <CurrentPage rest={rest} key={here} />
            </Suspense>
          </Failing>
        </main>
      </div>
    </I18nProvider>
  )
}

/** A page that fails does not take the frame with it. */
class Failing extends Component<{ readonly children: ReactNode }, { readonly error?: Error }> {
  override state: { readonly error?: Error } = {}
  static getDerivedStateFromError(error: Error) {
    return { error }
  }
  override render() {
    const { error } = this.state
    return error ? <ErrorAlert error={error} onRetry={() => location.reload()} /> : this.props.children
  }
}
