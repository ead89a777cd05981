/** The page of a puzzle. It needs no script, no other origin, and no sight: the sound is another puzzle with the same field. */

export interface CaptchaPage {
  /** PNG, base64. */
  readonly image: string
  /** Sealed. */
  readonly puzzle: string
  readonly path: string
  readonly soundPath: string
  readonly isRetry: boolean
  /** Of the security policy. */
  readonly nonce: string
}

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#16191f;background:#fff}' +
  'img{display:block;border:1px solid #687078;margin:1rem 0}input,button{font:inherit;padding:.4rem .6rem}button{margin-left:.5rem}'

export const captchaPage = ({ image, puzzle, path, soundPath, isRetry, nonce }: CaptchaPage): string =>
  `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Are you a person?</title><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><style nonce="${nonce}">${STYLE}</style></head>
<body>
<main>
<h1>Are you a person?</h1>
${isRetry ? '<p role="alert">That was not right. Here is another one.</p>\n' : ''}<form method="post" action="${path}">
<img src="data:image/png;base64,${image}" width="240" height="80" alt="Six digits, distorted. If you cannot read them, use the sound below.">
<p><label for="answer">Type the six digits of the picture, or the six numbers of the sound</label></p>
<p><input id="answer" name="answer" inputmode="numeric" autocomplete="off" maxlength="12" required><button type="submit">Continue</button></p>
<input type="hidden" name="puzzle" value="${puzzle}">
<h2>Sound</h2>
<p>You hear six groups of tones. Count the tones of each group and type the six numbers.</p>
<audio controls preload="none" src="${soundPath}?puzzle=${puzzle}"></audio>
</form>
</main>
</body>
</html>
`
