/** Which dialog of a page is open. */
import { type ReactNode, useState } from 'react'

/** Opens one dialog at a time; the page shows `dialog`. */
export function useDialog(): { readonly dialog: ReactNode; open(render: (close: () => void) => ReactNode): void } {
  const [render, setRender] = useState<(close: () => void) => ReactNode>()
  return {
    dialog: render?.(() => setRender(undefined)),
    open: (next) => setRender(() => next),
  }
}
