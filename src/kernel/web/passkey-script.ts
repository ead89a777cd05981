/** The script of pages with passkeys, served as a file: forms with `data-passkey` (`create` or `get`) and `data-options`. */

/**
 * The only script: it passes a passkey's challenge to the browser, and the answer to a form. Everything else works without.
 */
export const PASSKEY_SCRIPT = `
'use strict'
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, '')
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const button = form.querySelector('button')
  const problem = form.querySelector('[role=alert]')
  form.hidden = false
  form.addEventListener('submit', async (event) => {
    if (form.elements.response.value !== '') return
    event.preventDefault()
    button.disabled = true
    problem.hidden = true
    try {
      const options = JSON.parse(form.dataset.options)
      options.challenge = bytes(options.challenge)
      for (const each of [...(options.allowCredentials ?? []), ...(options.excludeCredentials ?? [])]) each.id = bytes(each.id)
      if (options.user) options.user.id = bytes(options.user.id)
      const isNew = form.dataset.passkey === 'create'
      const made = await navigator.credentials[isNew ? 'create' : 'get']({ publicKey: options })
      const { response } = made
      form.elements.response.value = JSON.stringify({
        id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {},
        authenticatorAttachment: made.authenticatorAttachment ?? undefined,
        response: isNew
          ? { clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject), transports: response.getTransports?.() ?? [] }
          : { clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData), signature: text(response.signature), userHandle: response.userHandle ? text(response.userHandle) : undefined },
      })
      form.submit()
    } catch {
      problem.hidden = false
      button.disabled = false
    }
  })
}
`.trimStart()
