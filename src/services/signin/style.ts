/** The one stylesheet of the sign-in pages. Colors meet WCAG AA in both schemes. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de;
  --accent: #0b5cad; --on-accent: #ffffff; --bad: #a40e26; --bad-page: #fff1f2; --good: #116329; --good-page: #eefbf1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181d; --card: #1c2128; --text: #e6edf3; --quiet: #9da7b3; --line: #444c56;
    --accent: #6cb6ff; --on-accent: #0d1117; --bad: #ff9b9b; --bad-page: #3b1d20; --good: #7ee2a8; --good-page: #16301f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, "Segoe UI", sans-serif; }
header, main, footer { width: min(26rem, 100% - 2rem); margin-inline: auto; }
body.wide :is(header, main, footer) { width: min(46rem, 100% - 2rem); }
header { padding: 2.5rem 0 1rem; font-size: 1.25rem; font-weight: 650; letter-spacing: .02em; }
header .bar { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; flex-wrap: wrap; }
header nav { font-size: .9375rem; font-weight: 400; display: flex; gap: 1.25rem; align-items: baseline; }
main { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.75rem; }
body.wide main { padding: 0; background: none; border: 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.5rem; margin-bottom: 1.25rem; }
footer { padding: 1.25rem 0 3rem; color: var(--quiet); font-size: .875rem; }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 0 0 1rem; }
body.wide h1 { margin: .25rem 0 1.25rem; }
h2 { font-size: 1.0625rem; margin: 0 0 .75rem; }
p { margin: 0 0 1rem; }
p.quiet, .quiet { color: var(--quiet); font-size: .9375rem; }
label { display: block; font-weight: 600; margin: 0 0 .25rem; }
label.choice { display: flex; gap: .625rem; font-weight: 400; padding: .5rem 0; margin: 0; align-items: baseline; overflow-wrap: anywhere; }
fieldset { border: 0; padding: 0; margin: 0 0 1rem; }
legend { font-weight: 600; padding: 0; margin-bottom: .25rem; overflow-wrap: anywhere; }
input:not([type=radio], [type=hidden]), select {
  width: 100%; padding: .5625rem .75rem; margin-bottom: 1rem; font: inherit; color: inherit; background: var(--page);
  border: 1px solid var(--quiet); border-radius: .375rem;
}
button { font: inherit; font-weight: 600; padding: .5625rem 1.125rem; border-radius: .375rem; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); cursor: pointer; }
a.button { display: block; width: 100%; text-align: center; text-decoration: none; font-weight: 600; padding: .5625rem 1.125rem; border-radius: .375rem; border: 1px solid var(--quiet); color: var(--text); }
ul.providers { margin: 0; } ul.providers li { border: 0; padding: .25rem 0; }
button.second { background: none; color: var(--accent); }
button.plain { background: none; border: 0; padding: 0; color: var(--accent); font-weight: 400; text-decoration: underline; }
main > form > button:only-of-type, .full button { width: 100%; }
body.wide form > button { width: auto; }
:is(a, button, input, select, summary):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
a { color: var(--accent); }
[role=alert] { background: var(--bad-page); color: var(--bad); border: 1px solid currentColor; border-radius: .375rem; padding: .625rem .875rem; margin: 0 0 1rem; }
[role=status] { background: var(--good-page); color: var(--good); border: 1px solid currentColor; border-radius: .375rem; padding: .625rem .875rem; margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .375rem 1.25rem; margin: 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
ul { list-style: none; margin: 0 0 1rem; padding: 0; }
li { display: flex; justify-content: space-between; gap: 1rem; align-items: center; padding: .625rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
pre { font: .9375rem/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 1rem 0 0; }
code { font: .9375rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
img.qr { display: block; width: 14rem; max-width: 100%; height: auto; image-rendering: pixelated; background: #fff; padding: .5rem; border-radius: .375rem; margin-bottom: 1rem; }
.row { display: flex; gap: .75rem; flex-wrap: wrap; align-items: center; }
.row form { margin: 0; }
hr { border: 0; border-top: 1px solid var(--line); margin: 1.5rem 0; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
`.trimStart()
