/** Starts the console: settings, session, frame. */
import './style.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { preloadFirstPageModels } from './api/model.ts'
import { loadConfig, loadSession, signInAddress } from './api/session.ts'
import { App } from './app/app.tsx'
import { MerlonProvider } from './app/merlon.tsx'
import { preload } from './app/pages.ts'
import { placeOf } from './app/router.ts'
import { themeChosen } from './app/settings.ts'
import { applyMode } from './app/theme.ts'
import { NoticesProvider } from './ui/notices.tsx'

const root = document.getElementById('root')!
applyMode(themeChosen())
// While the session is fetched.
const { segments } = placeOf(location.hash)
preload(segments)
if (segments.length === 0) preloadFirstPageModels()

try {
  const [config, session] = await Promise.all([loadConfig(), loadSession()])
  if (!session) location.replace(signInAddress(location))
  else {
    createRoot(root).render(
      <StrictMode>
        <NoticesProvider>
          <MerlonProvider config={config} session={session}>
            <App />
          </MerlonProvider>
        </NoticesProvider>
      </StrictMode>,
    )
  }
} catch (error) {
  root.setAttribute('role', 'alert')
  root.textContent = `The console could not start: ${(error as Error).message} Reload the page to try again.`
}
