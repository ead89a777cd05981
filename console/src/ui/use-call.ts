/** Data of a page: loaded when the page opens, the input changes or a change was made. */
import { useCallback, useEffect, useState } from 'react'
import type { Client } from '../api/client.ts'
import { useMerlon } from '../app/merlon.tsx'

export interface Loaded<T> {
  readonly data: T | undefined
  readonly error: Error | undefined
  readonly loading: boolean
  reload(): void
}

/** `key` names what is loaded: another key loads again. Undefined: there is nothing to load yet. */
export function useLoaded<T>(key: string | undefined, load: (client: Client) => Promise<T>): Loaded<T> {
  const { client, region } = useMerlon()
  const [turn, setTurn] = useState(0)
  const [state, setState] = useState<{ key?: string; data?: T; error?: Error; loading: boolean }>({ loading: true })
  const whole = key === undefined ? undefined : `${region} ${key}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: `load` is a new function each time; the key names what it loads.
  useEffect(() => {
    if (whole === undefined) return
    let isCurrent = true
    setState((before) => (before.key === whole ? { ...before, loading: true } : { loading: true }))
    load(client).then(
      (data) => isCurrent && setState({ key: whole, data, loading: false }),
      (error: Error) => isCurrent && setState({ key: whole, error, loading: false }),
    )
    return () => {
      isCurrent = false
    }
  }, [whole, client, turn])
  const reload = useCallback(() => setTurn((before) => before + 1), [])
  return { data: state.data, error: state.error, loading: whole !== undefined && state.loading, reload }
}
