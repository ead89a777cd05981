/** Short messages at the top of the page about what was done. */
import { createContext, lazy, type ReactNode, Suspense, useCallback, useContext, useMemo, useState } from 'react'

interface Notice {
  readonly id: string
  readonly type: 'success' | 'error' | 'info'
  readonly text: ReactNode
}

export interface Notices {
  readonly all: readonly Notice[]
  say(text: ReactNode, type?: Notice['type']): void
  dismiss(id: string): void
}

const Current = createContext<Notices | undefined>(undefined)
const SHOWN_MAX = 3

export function NoticesProvider({ children }: { readonly children: ReactNode }) {
  const [all, setAll] = useState<readonly Notice[]>([])
  const say = useCallback((text: ReactNode, type: Notice['type'] = 'success') => {
    setAll((before) => [{ id: crypto.randomUUID(), type, text }, ...before].slice(0, SHOWN_MAX))
  }, [])
  const dismiss = useCallback((id: string) => setAll((before) => before.filter((each) => each.id !== id)), [])
  return <Current value={useMemo(() => ({ all, say, dismiss }), [all, say, dismiss])}>{children}</Current>
}

export function useNotices(): Notices {
  const notices = useContext(Current)
  if (!notices) throw new Error('There are no notices around this component.')
  return notices
}

/** Loaded with the first message: the first page opens without one. */
const NoticeList = lazy(() => import('./notice-list.tsx'))

export function NoticeBar() {
  const { all, dismiss } = useNotices()
  return (
    all.length > 0 && (
      <Suspense>
        <NoticeList all={all} dismiss={dismiss} />
      </Suspense>
    )
  )
}
