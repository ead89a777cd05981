/** What a person has chosen, kept in the browser: dark or light, and recent roles. No secrets. */
export type Theme = 'light' | 'dark'

const KEY = 'merlon.'

function read(name: string): string | undefined {
  try {
    return localStorage.getItem(KEY + name) ?? undefined
  } catch {
    return undefined
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(KEY + name, value)
  } catch {
    // A browser that keeps nothing forgets the choice with the page.
  }
}

export function themeChosen(): Theme {
  const chosen = read('theme')
  if (chosen === 'light' || chosen === 'dark') return chosen
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

export const keepTheme = (theme: Theme): void => write('theme', theme)

export const regionChosen = (): string | undefined => read('region')
export const keepRegion = (region: string): void => write('region', region)

export interface RecentRole {
  readonly account: string
  readonly role: string
}

const RECENT_MAX = 5

export function recentRoles(): readonly RecentRole[] {
  try {
    const kept: unknown = JSON.parse(read('roles') ?? '[]')
    return Array.isArray(kept)
      ? kept.filter((each) => typeof each?.account === 'string' && typeof each?.role === 'string')
      : []
  } catch {
    return []
  }
}

export function keepRole(role: RecentRole): void {
  const others = recentRoles().filter((each) => each.account !== role.account || each.role !== role.role)
  write('roles', JSON.stringify([role, ...others].slice(0, RECENT_MAX)))
}
