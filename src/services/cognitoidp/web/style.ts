/** The style sheet of managed login: ours, then the colors and sizes of a branding style, then the classic CSS of the customer. */
import type { StyleRule } from '../classic-css.ts'

const LIGHT = `
  --page: #f4f5f7; --card: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de;
  --accent: #0b5cad; --on-accent: #ffffff; --bad: #a40e26; --bad-page: #fff1f2;`
const DARK = `
  --page: #14181d; --card: #1c2128; --text: #e6edf3; --quiet: #9da7b3; --line: #444c56;
  --accent: #6cb6ff; --on-accent: #0d1117; --bad: #ff9b9b; --bad-page: #3b1d20;`

/** What follows from the colors above, unless a branding style says otherwise. */
const DERIVED = `
  --heading: var(--text); --label: var(--text); --input: var(--page); --input-line: var(--quiet); --focus: var(--accent);
  --link: var(--accent); --link-hover: var(--link); --bad-line: var(--bad);
  --button: var(--accent); --on-button: var(--on-accent); --button-hover: var(--button); --on-button-hover: var(--on-button);
  --button-active: var(--button-hover); --on-button-active: var(--on-button-hover);
  --provider: transparent; --on-provider: var(--link); --provider-line: var(--link);
  --card-radius: .75rem; --button-radius: .375rem; --input-radius: .375rem; --alert-radius: .375rem;`

const RULES = `
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, "Segoe UI", sans-serif; }
header, main, footer { width: min(26rem, 100% - 2rem); margin-inline: auto; }
header { padding: 2.5rem 0 1rem; font-size: 1.25rem; font-weight: 650; }
body > main:first-child { margin-top: 2.5rem; }
img { max-width: 100%; }
header img, footer img, .logo img { max-height: 4rem; }
main { background: var(--card); border: 1px solid var(--line); border-radius: var(--card-radius); padding: 1.75rem; margin-bottom: 2rem; }
footer { padding-bottom: 2rem; }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 0 0 1rem; color: var(--heading); }
p { margin: 0 0 1rem; }
form { margin: 0 0 1rem; }
main > :last-child { margin-bottom: 0; }
code { overflow-wrap: anywhere; }
label { display: block; font-weight: 600; margin: 0 0 .25rem; color: var(--label); }
input:not([type=hidden]) {
  width: 100%; padding: .5625rem .75rem; margin-bottom: 1rem; font: inherit; color: inherit; background: var(--input);
  border: 1px solid var(--input-line); border-radius: var(--input-radius);
}
button {
  display: block; width: 100%; text-align: center; font: inherit; font-weight: 600; padding: .5625rem 1.125rem; cursor: pointer;
  border: 1px solid var(--button); border-radius: var(--button-radius); background: var(--button); color: var(--on-button);
}
button img { vertical-align: -.25em; margin-inline-end: .375rem; }
button:hover { background: var(--button-hover); border-color: var(--button-hover); color: var(--on-button-hover); }
button:active { background: var(--button-active); border-color: var(--button-active); color: var(--on-button-active); }
.idpButton-customizable, .socialButton-customizable, .idpButton-customizable:hover, .socialButton-customizable:hover {
  background: var(--provider); color: var(--on-provider); border-color: var(--provider-line);
}
a { color: var(--link); }
a:hover { color: var(--link-hover); }
.languages { display: flex; flex-wrap: wrap; gap: .25rem 1rem; border-top: 1px solid var(--line); padding-top: 1rem; }
[role=alert] { background: var(--bad-page); color: var(--bad); border: 1px solid var(--bad-line); border-radius: var(--alert-radius); padding: .625rem .875rem; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
`

/** The colors and sizes of a branding style: declarations of custom properties, and rules behind all others. */
export interface BrandingStyle {
  readonly scheme: 'LIGHT' | 'DARK' | 'DYNAMIC'
  readonly light: string
  readonly dark: string
  /** Of both. */
  readonly sizes: string
  readonly rules: string
}

const PLAIN: BrandingStyle = { scheme: 'DYNAMIC', light: '', dark: '', sizes: '', rules: '' }

export function styleSheet({ scheme, light, dark, sizes, rules }: BrandingStyle = PLAIN): string {
  const colors = {
    LIGHT: `:root { color-scheme: light;${LIGHT} ${light} }`,
    DARK: `:root { color-scheme: dark;${DARK} ${dark} }`,
    DYNAMIC: `:root { color-scheme: light dark;${LIGHT} ${light} }
@media (prefers-color-scheme: dark) { :root {${DARK} ${dark} } }`,
  }[scheme]
  return `:root {${DERIVED} ${sizes} }\n${colors}${RULES}${rules}`
}

/** A customer's rules, behind ours. They were read into known classes and plain values. */
export const printRules = (rules: readonly StyleRule[]): string =>
  rules
    .map(
      ({ selector, declarations }) =>
        `.${selector} { ${declarations.map(([name, value]) => `${name}: ${value};`).join(' ')} }`,
    )
    .join('\n')
