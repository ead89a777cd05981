/** Dark and light: a class of the body, as `@cloudscape-design/global-styles` sets it. */
import { keepTheme, type Theme, themeChosen } from './settings.ts'

export const Mode = { current: themeChosen }

export function applyMode(theme: Theme): void {
  keepTheme(theme)
  document.body.classList.toggle('awsui-dark-mode', theme === 'dark')
  document.documentElement.style.colorScheme = theme
}
