/** What was made of a text, kept for the next time: requests of one client say much the same again and again. */

/** Clients choose the texts: longer ones are not kept. */
const TEXT_MAX = 512

/** `make` must depend on nothing but the text; what it throws is not kept. `max` texts at most, then it begins anew. */
export function remembering<T>(max: number, make: (text: string) => T): (text: string) => T {
  const made = new Map<string, T>()
  return (text) => {
    const known = made.get(text)
    if (known !== undefined) return known
    const fresh = make(text)
    if (text.length > TEXT_MAX) return fresh
    if (made.size >= max) made.clear()
    made.set(text, fresh)
    return fresh
  }
}
