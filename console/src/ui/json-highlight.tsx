/** JSON in colors, with marks under what a check has found. */
export interface Mark {
  readonly start: number
  readonly end: number
  readonly kind: 'error' | 'warning' | 'suggestion'
}

const TOKEN = /("(?:[^"\\\n]|\\.)*"?)(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g

export function Highlighted({ text, marks }: { readonly text: string; readonly marks: readonly Mark[] }) {
  return pieces(text, marks).map(({ from, to, className }) =>
    className === '' ? (
      text.slice(from, to)
    ) : (
      <span key={from} className={className}>
        {text.slice(from, to)}
      </span>
    ),
  )
}

interface Piece {
  readonly from: number
  readonly to: number
  readonly className: string
}

function pieces(text: string, marks: readonly Mark[]): readonly Piece[] {
  const colors: { from: number; to: number; name: string }[] = []
  for (const match of text.matchAll(TOKEN)) {
    const [whole, quoted, colon] = match
    const name = quoted === undefined ? 'json-value' : colon === undefined ? 'json-string' : 'json-key'
    colors.push({ from: match.index, to: match.index + (quoted?.length ?? whole.length), name })
  }
  const edges = new Set([0, text.length])
  for (const { from, to } of colors) edges.add(from).add(to)
  for (const { start, end } of marks) edges.add(Math.min(start, text.length)).add(Math.min(end, text.length))
  const sorted = [...edges].sort((a, b) => a - b)
  let color = 0
  return sorted.slice(0, -1).map((from, at) => {
    const to = sorted[at + 1]!
    while (color < colors.length && colors[color]!.to <= from) color++
    const inside = colors[color]
    const mark = marks.find(({ start, end }) => start <= from && end >= to && end > start)
    const names = [inside && inside.from <= from ? inside.name : '', mark ? `mark-${mark.kind}` : '']
    return { from, to, className: names.filter((name) => name !== '').join(' ') }
  })
}
