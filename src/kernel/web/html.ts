/** HTML that escapes by type: whatever is not markup already is text. */

/** Markup; made by {@link html} alone. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(value: unknown): string {
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(escaped).join('')
  if (value === undefined || value === null || value === false) return ''
  return String(value).replace(/[&<>"']/g, (char) => ENTITIES[char]!)
}

/**
 * Values are escaped, also inside attributes with quotation marks. Never put one into a script, a style or an attribute
 * without quotation marks.
 *
 * @example
 * html`<p title="${title}">${user.name}</p>${rows.map((row) => html`<li>${row}</li>`)}`
 */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(parts.reduce((text, part, index) => text + escaped(values[index - 1]) + part))
}
