/** The functions that are part of Merlon, by the name that `ImageUri=merlon/NAME` says; each is loaded when first asked for. */
import type { Builtin } from './builtin.ts'

export const builtins: Readonly<Record<string, () => Promise<Builtin>>> = {
  Echo: async () => (await import('./echo.ts')).echo,
}
