/** The page that solves a challenge: it needs no library, no other origin, and no secure context. */

export interface ChallengePage {
  readonly challenge: string
  /** Leading zero bits of SHA-256 over `challenge:number`. */
  readonly bits: number
  readonly path: string
  /** Of the security policy. */
  readonly nonce: string
}

/** Web Cryptography is missing on pages of plain HTTP: SHA-256 (FIPS 180-4) in JavaScript. */
const SCRIPT = `
function constants(count, root) {
  var found = []
  for (var n = 2; found.length < count; n++) {
    var prime = true
    for (var d = 2; d * d <= n; d++) if (n % d === 0) prime = false
    if (prime) { var power = Math.pow(n, 1 / root); found.push(((power - Math.floor(power)) * 4294967296) | 0) }
  }
  return found
}
var K = constants(64, 3), START = constants(8, 2), W = new Int32Array(64)
function turned(x, by) { return (x >>> by) | (x << (32 - by)) }
function leadingZeros(text) {
  var length = text.length, blocks = ((length + 8) >> 6) + 1, bytes = new Uint8Array(64 * blocks), h = START.slice()
  for (var i = 0; i < length; i++) bytes[i] = text.charCodeAt(i)
  bytes[length] = 128
  bytes[bytes.length - 1] = (length * 8) & 255
  bytes[bytes.length - 2] = ((length * 8) >> 8) & 255
  for (var b = 0; b < blocks; b++) {
    for (var t = 0; t < 64; t++) {
      if (t < 16) {
        var at = 64 * b + 4 * t
        W[t] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
      } else {
        var x = W[t - 15], y = W[t - 2]
        W[t] = (W[t - 16] + (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3)) + W[t - 7] + (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10))) | 0
      }
    }
    var s = h.slice()
    for (t = 0; t < 64; t++) {
      var e = s[4], a = s[0]
      var one = (s[7] + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + K[t] + W[t]) | 0
      var two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]))) | 0
      s = [(one + two) | 0, a, s[1], s[2], (s[3] + one) | 0, e, s[5], s[6]]
    }
    for (i = 0; i < 8; i++) h[i] = (h[i] + s[i]) | 0
  }
  return h[0] === 0 ? 32 : Math.clz32(h[0])
}
var data = document.getElementById('challenge').dataset, next = 0
function work() {
  for (var end = Date.now() + 50; Date.now() < end; next++)
    if (leadingZeros(data.challenge + ':' + next) >= Number(data.bits)) return send(String(next))
  setTimeout(work, 0)
}
function send(solution) {
  fetch(data.path, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ challenge: data.challenge, solution: solution })
  }).then(function (answer) {
    if (answer.ok) location.reload()
    else failed()
  }, failed)
}
function failed() {
  document.getElementById('challenge').textContent = 'This browser could not be checked. Reload the page to try again.'
}
work()
`

export const challengePage = ({ challenge, bits, path, nonce }: ChallengePage): string =>
  `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Checking your browser</title><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"></head>
<body>
<main>
<h1>Checking your browser</h1>
<p id="challenge" role="status" data-challenge="${challenge}" data-bits="${bits}" data-path="${path}">This takes a moment.</p>
<noscript><p>This page needs JavaScript.</p></noscript>
</main>
<script nonce="${nonce}">${SCRIPT}</script>
</body>
</html>
`
