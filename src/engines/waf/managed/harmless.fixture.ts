/** Requests of ordinary users, the same each time: prose, names, JSON and code review, in the places where applications take text. */
import type { InspectedRequest } from '../request.ts'

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'

const PHRASES = [
  'the order arrived on time',
  'please drop the old table in the hall',
  'the union representative selects a delegate',
  'select one or two of the options below',
  'update your account and delete the old address',
  "I'd like to return 3 of 5 items",
  'the script of the play was great',
  'where is the alert from yesterday?',
  'a group of 12 people, having dinner at 8',
  'insert the key and turn it left',
  'the price is between $10 and $20',
  "it's not null and void -- it's fine",
  'like father, like son',
  'set the table; then join us',
  'create a view of the garden',
  'we execute orders within 24 hours',
  'echo in the valley; more than once',
  'the cat sat by the head of the line',
  'find the best price & save 20%',
  'rock & roll, R&B; pop',
  'C# or F#? I prefer F#',
  'call me at 5:30 (or later)',
  'see section 4.2 (a) and (b)',
  'JavaScript: the good parts',
  'the form has a link to an image',
  'style matters, and so does input',
  'he said "hello" and left',
  '1 + 1 = 2, and 2 > 1',
  'price < 100 and rating >= 4',
  'Große Straße 5, München',
]
const NAMES = [
  "O'Brien",
  "D'Angelo",
  "N'Golo Kanté",
  'Müller & Söhne',
  'Smith-Jones',
  "M'Bala Ltd.",
  'Łukasz',
  'J. R. "Bob" Dobbs',
  'Null, Christopher',
  "Drop's Coffee",
]
const REVIEWS = [
  'if (a < b && c > d) return x || y; // nothing to do',
  'const rows = items.filter((item) => item.price > 10 && item.name != null)',
  'for (let i = 0; i < n; i++) { total += rows[i].count }',
  'I would rename `select` to `choose`; the union type is string | number here.',
  "Use `if (name === 'admin')` instead of two branches, it's clearer.",
  'The diff looks good -- ship it. See issue #42; it closes 1 of 2.',
  'export function sum(a, b) { return a + b }',
  'List<Map<String, Integer>> counts = new ArrayList<>();',
  'await fetch(`/api/items/${id}`) needs a timeout.',
  "import { sum } from './math'; // not '../math'",
  'def total(items): return sum(i.price for i in items)',
  'The regex /^[a-z]+$/ does not match "Ä".',
  'Does `git rebase` drop the merge commit? I think so.',
]

/** `Math.random` of its own: equal in every run. */
function sequence(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

export function* harmlessRequests(count: number): Generator<InspectedRequest> {
  const next = sequence(42)
  const one = <T>(list: readonly T[]): T => list[next(list.length)]!
  const prose = () =>
    Array.from({ length: 1 + next(4) }, () => one(PHRASES)).join(one([', ', '. ', '; ', ' and ', '\n']))
  const form = (values: Record<string, string>) => ({
    type: 'application/x-www-form-urlencoded',
    body: new URLSearchParams(values).toString(),
  })
  const json = (value: unknown) => ({ type: 'application/json', body: latin1(JSON.stringify(value)) })
  const kinds: readonly (() => { query?: string; path?: string; cookie?: string; type?: string; body?: string })[] = [
    () => ({ query: `q=${encodeURIComponent(prose())}&page=${next(50)}` }),
    () => form({ name: one(NAMES), note: prose() }),
    () => json({ name: one(NAMES), text: prose(), tags: [one(PHRASES), one(NAMES)], price: next(10_000) / 100 }),
    () => json({ comment: one(REVIEWS), line: next(500), file: `src/app/${next(9)}/index.ts` }),
    () => ({
      path: `/items/${next(1_000_000)}`,
      cookie: `sid=${next(2 ** 31).toString(36)}${next(2 ** 31).toString(36)}; theme=dark`,
    }),
  ]
  for (let made = 0; made < count; made++) {
    const { path = '/', query = '', cookie, type, body = '' } = one(kinds)()
    yield {
      method: type === undefined ? 'GET' : 'POST',
      path,
      query,
      httpVersion: '1.1',
      headers: [
        ['Host', 'shop.example'],
        ['User-Agent', AGENT],
        ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
        ['Accept-Language', 'en-GB,en;q=0.8'],
        ['Referer', 'https://shop.example/search?q=blue%20shoes'],
        ...(cookie === undefined ? [] : [['Cookie', cookie] as const]),
        ...(type === undefined ? [] : [['Content-Type', type] as const]),
      ],
      body,
      isBodyTruncated: false,
      clientIp: '192.0.2.7',
    }
  }
}
