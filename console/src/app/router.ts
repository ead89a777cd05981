/** Pages by the fragment of the address: names of resources may hold dots and slashes, which a path would not survive. */
import { useSyncExternalStore } from 'react'

export interface Place {
  /** Decoded segments: `['iam', 'users', 'ann']`. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
}

export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  return {
    segments: path
      .split('/')
      .filter((part) => part !== '')
      .map(decoded),
    query: new URLSearchParams(query),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `#/iam/users/ann?tab=keys` */
export function hrefOf(segments: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString()
  return `#/${segments.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`
}

export function navigate(segments: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = hrefOf(segments, query)
}

/** Changes the query of the current page without a new entry in the history. */
export function replaceQuery(query: Readonly<Record<string, string>>): void {
  const { segments } = placeOf(location.hash)
  history.replaceState(undefined, '', hrefOf(segments, query))
  dispatchEvent(new HashChangeEvent('hashchange'))
}

let known = { hash: '', place: placeOf('') }

export function usePlace(): Place {
  const hash = useSyncExternalStore(
    (changed) => {
      addEventListener('hashchange', changed)
      return () => removeEventListener('hashchange', changed)
    },
    () => location.hash,
  )
  if (known.hash !== hash) known = { hash, place: placeOf(hash) }
  return known.place
}
