/** The checker itself: it finds what is wrong with bad histories, nothing wrong with good ones, and agrees with a checker of a page. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../process.ts'
import { violations } from './checker.ts'
import { type Action, loadLog, type Operation, type Outcome, type RoundLog, type State, saveLog } from './history.ts'
import { linearizable } from './linearizable.ts'
import { RULES } from './order.ts'
import { step } from './register.ts'

type Brief = readonly [
  action: Action,
  about: State | undefined,
  outcome: Outcome,
  from: number,
  to?: number | undefined,
  node?: string,
]

/** `about` is the value written, or what was read. */
function history(...briefs: readonly Brief[]): Operation[] {
  return briefs.map(([action, about, outcome, invokedAt, returnedAt, node = 'a'], id) => ({
    id,
    client: `client-${id}`,
    node,
    register: 'r',
    action,
    outcome,
    invokedAt,
    ...(returnedAt !== undefined && { returnedAt }),
    ...(action === 'read' ? outcome === 'done' && { read: about! } : typeof about === 'string' && { value: about }),
  }))
}

describe('bad histories', () => {
  const bad: Readonly<
    Record<string, { readonly of: Operation[]; readonly property: string; readonly witness: number[] }>
  > = {
    'a value that was never written': {
      of: history(['create', 'x', 'done', 0, 1], ['read', 'ghost', 'done', 2, 3]),
      property: 'phantom write',
      witness: [1],
    },
    'a value whose writing was refused': {
      of: history(['create', 'x', 'missing', 0, 1], ['create', 'y', 'exists', 2, 3], ['read', 'y', 'done', 4, 5]),
      property: 'phantom write',
      witness: [1, 2],
    },
    'a value from the future': {
      of: history(['read', 'x', 'done', 0, 1], ['create', 'x', 'done', 2, 3]),
      property: 'phantom write',
      witness: [1, 0],
    },
    'an acknowledged create that is gone': {
      of: history(['create', 'x', 'done', 0, 1], ['read', null, 'done', 2, 3], ['read', null, 'done', 4, 5, 'b']),
      property: 'lost acknowledged write',
      witness: [0, 1],
    },
    'an acknowledged write that is gone': {
      of: history(['create', 'x', 'done', 0, 1], ['write', 'y', 'done', 2, 3], ['read', 'x', 'done', 4, 5, 'b']),
      property: 'lost acknowledged write',
      witness: [1, 2],
    },
    'an acknowledged delete that is undone': {
      of: history(['create', 'x', 'done', 0, 1], ['delete', undefined, 'done', 2, 3], ['read', 'x', 'done', 4, 5]),
      property: 'lost acknowledged write',
      witness: [1, 2],
    },
    'a read that is late on another node': {
      of: history(
        ['create', 'x', 'done', 0, 1],
        ['write', 'y', 'done', 2, 3],
        ['read', 'x', 'done', 4, 5, 'b'],
        ['read', 'y', 'done', 6, 7, 'b'],
      ),
      property: 'stale read on another node',
      witness: [1, 2],
    },
    'a read that is late on the node of the write': {
      of: history(
        ['create', 'x', 'done', 0, 1],
        ['write', 'y', 'done', 2, 3],
        ['read', 'x', 'done', 4, 5],
        ['read', 'y', 'done', 6, 7],
      ),
      property: 'stale read on one node',
      witness: [1, 2],
    },
    'a read that shows less than one before it': {
      of: history(
        ['create', 'x', 'done', 0, 1],
        ['write', 'y', 'unknown', 2],
        ['read', 'y', 'done', 3, 4, 'a'],
        ['read', 'x', 'done', 5, 6, 'b'],
      ),
      property: 'reads go backwards across nodes',
      witness: [1, 2, 3],
    },
    'two creates that both succeed': {
      of: history(
        ['read', null, 'done', 0, 1],
        ['create', 'x', 'done', 2, 10],
        ['create', 'y', 'done', 3, 9, 'b'],
        ['read', 'y', 'done', 11, 12],
        ['read', 'y', 'done', 13, 14],
      ),
      property: 'not linearizable',
      witness: [1, 2],
    },
    'a refusal by something that was never there': {
      of: history(['create', 'x', 'exists', 0, 1], ['create', 'y', 'done', 2, 3], ['read', 'y', 'done', 4, 5]),
      property: 'not linearizable',
      witness: [0],
    },
    'a write that misses what is there': {
      of: history(['create', 'x', 'done', 0, 1], ['write', 'y', 'missing', 2, 3, 'b'], ['read', 'x', 'done', 4, 5]),
      property: 'not linearizable',
      witness: [0, 1],
    },
    'two deletes of one thing': {
      of: history(
        ['create', 'x', 'done', 0, 1],
        ['delete', undefined, 'done', 2, 6],
        ['delete', undefined, 'done', 3, 5, 'b'],
        ['read', null, 'done', 8, 9],
      ),
      property: 'not linearizable',
      witness: [0, 1, 2],
    },
    'an unanswered write that comes and goes twice': {
      of: history(
        ['create', 'x', 'done', 0, 1],
        ['write', 'y', 'unknown', 2],
        ['write', 'z', 'done', 3, 9],
        ['read', 'y', 'done', 4, 5],
        ['read', 'z', 'done', 6, 7, 'b'],
        ['read', 'y', 'done', 8, 9, 'b'],
      ),
      property: 'not linearizable',
      witness: [0, 1, 2, 3, 4, 5],
    },
  }

  test.each(Object.keys(bad))('%s is found, and shown by the operations it takes', (name) => {
    const { of, property, witness } = bad[name]!

    const [found] = violations(of)

    expect(found).toMatchObject({ register: 'r', property })
    expect(found!.witness.map(({ id }) => id)).toEqual(witness)
  })

  test('a history too tangled for the search is reported as undecided, and does not pass', () => {
    const many = (action: Action, count: number) =>
      Array.from({ length: count }, (_, n): Brief => [action, action === 'create' ? `v${n}` : undefined, 'done', 0, 99])
    const tangled = history(...many('create', 14), ...many('delete', 12))

    expect(violations(tangled, 1_000)).toMatchObject([{ property: 'undecided' }])
  })
})

describe('good histories', () => {
  const good: Readonly<Record<string, Operation[]>> = {
    'an unanswered write may take effect after its client has given up': history(
      ['create', 'x', 'done', 0, 1],
      ['write', 'y', 'unknown', 2],
      ['read', 'x', 'done', 3, 4],
      ['read', 'y', 'done', 100, 101, 'b'],
    ),
    'an unanswered write may never take effect': history(
      ['create', 'x', 'done', 0, 1],
      ['write', 'y', 'unknown', 2],
      ['read', 'x', 'done', 3, 4],
    ),
    'an unanswered create explains a refusal': history(
      ['create', 'x', 'unknown', 0],
      ['create', 'y', 'exists', 1, 2, 'b'],
      ['read', 'x', 'done', 3, 4],
    ),
    'calls side by side may take effect in either order': history(
      ['create', 'x', 'done', 0, 1],
      ['write', 'y', 'done', 2, 9],
      ['write', 'z', 'done', 3, 8, 'b'],
      ['read', 'y', 'done', 4, 10],
      ['read', 'z', 'done', 11, 12, 'b'],
    ),
  }

  test.each(Object.keys(good))('%s', (name) => expect(violations(good[name]!)).toEqual([]))
})

describe('beside a checker that tries every order', () => {
  const random = { numRuns: 4_000 } as const

  test('the search agrees on small histories of any kind', () => {
    let [yes, no] = [0, 0]
    fc.assert(
      fc.property(anyHistory, (operations) => {
        const expected = everyOrder(operations)
        expect(linearizable(operations)).toBe(expected ? 'yes' : 'no')
        if (expected) yes++
        else no++
      }),
      random,
    )
    // Neither answer is rare, or the agreement would say little.
    expect(Math.min(yes, no)).toBeGreaterThan(random.numRuns / 10)
  })

  test('a named rule is broken only by what no order explains', () => {
    let broken = 0
    fc.assert(
      fc.property(anyHistory, (operations) => {
        if (!RULES.some((rule) => rule(operations))) return
        broken++
        expect(everyOrder(operations)).toBe(false)
      }),
      random,
    )
    expect(broken).toBeGreaterThan(random.numRuns / 20)
  })

  test('what is shown of a bad history is itself impossible', () => {
    fc.assert(
      fc.property(anyHistory, (operations) => {
        const [found] = violations(operations)
        expect(found === undefined).toBe(everyOrder(operations))
        if (found?.property === 'not linearizable') expect(everyOrder(found.witness)).toBe(false)
      }),
      random,
    )
  })
})

describe('logs', () => {
  const log: RoundLog = {
    seed: 7,
    round: 3,
    nodes: ['a', 'b'],
    store: 'postgres',
    disturbances: [{ fault: 'kill', target: 'a', beganAt: 5, endedAt: 9 }],
    operations: history(['create', 'x', 'done', 0, 1], ['read', null, 'done', 2, 3], ['write', 'y', 'unknown', 4]),
  }
  const file = join(temporaryFolder(), 'round.jsonl')

  test('a saved log is read as it was, and checked as it was', () => {
    saveLog(file, log, violations(log.operations))

    expect(loadLog(file)).toEqual(log)
    expect(violations(loadLog(file).operations)).toEqual(violations(log.operations))
    expect(violations(log.operations)).toHaveLength(1)
  })

  test.each([
    ['{"line":"operation","action":"read"}', /2: not an operation/],
    [JSON.stringify({ line: 'operation', ...history(['read', 'x', 'done', 5, 4])[0] }), /ends before it begins/],
    [JSON.stringify({ line: 'operation', ...history(['delete', undefined, 'unknown', 5, 6])[0] }), /not an operation/],
    ['{"line":"poem"}', /no known kind/],
  ])('a spoilt line is refused: %s', (line, complaint) => {
    writeFileSync(file, `{"line":"round","seed":1,"round":1,"nodes":[],"store":"sqlite"}\n${line}\n`)

    expect(() => loadLog(file)).toThrow(complaint)
  })
})

/** Every subset of what is unanswered, in every order that time allows: slow, and plainly right. */
function everyOrder(operations: readonly Operation[], state: State = null): boolean {
  if (operations.every(({ outcome }) => outcome === 'unknown')) return true
  return operations.some((first) => {
    const rest = operations.filter((each) => each !== first)
    if (rest.some(({ returnedAt }) => returnedAt !== undefined && returnedAt < first.invokedAt)) return false
    const after = step(state, first)
    return after !== undefined && everyOrder(rest, after)
  })
}

/** Half are answers drawn at random; half are a true register's, of which one may have been spoilt. */
const anyHistory: fc.Arbitrary<Operation[]> = fc
  .record({
    drafts: fc.array(
      fc.record({
        action: fc.constantFrom<Action>('read', 'read', 'write', 'create', 'delete'),
        outcome: fc.constantFrom<Outcome>('done', 'done', 'exists', 'missing', 'unknown'),
        from: fc.nat(20),
        lasts: fc.nat(8),
        about: fc.nat(6),
        node: fc.constantFrom('a', 'b'),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    honest: fc.boolean(),
    spoilt: fc.option(fc.nat(5)),
  })
  .map(({ drafts, honest, spoilt }) => {
    const value = (n: number) => `v${n}`
    const drawn = drafts.map(({ action, outcome, from, lasts, about, node }, n): Brief => {
      const fits = step(outcome === 'missing' ? null : 'x', draft(action, outcome)) !== undefined
      const real = fits || outcome === 'unknown' ? outcome : 'done'
      const read = about === 6 ? null : value(about)
      return [
        action,
        action === 'read' ? read : value(n),
        real,
        from,
        real === 'unknown' ? undefined : from + lasts,
        node,
      ]
    })
    const operations = history(...drawn)
    if (!honest) return operations
    const answered = truthful(operations)
    return answered.map((each, n) => (n === spoilt ? operations[n]! : each))
  })

const draft = (action: Action, outcome: Outcome): Operation => history([action, 'x', outcome, 0, 1])[0]!

/** The answers that a register gives which takes effect as each call begins. */
function truthful(operations: readonly Operation[]): Operation[] {
  let state: State = null
  const answers = new Map<number, Operation>()
  for (const each of [...operations].sort((a, b) => a.invokedAt - b.invokedAt)) {
    const read = each.action === 'read' && each.outcome !== 'unknown' ? { read: state } : {}
    const outcomes: readonly Outcome[] = each.outcome === 'unknown' ? ['unknown'] : ['done', 'exists', 'missing']
    const possible = outcomes.map((outcome): Operation => ({ ...each, outcome, ...read }))
    const true_ = possible.find((answer) => step(state, answer) !== undefined) ?? possible[0]!
    state = step(state, true_) ?? state
    answers.set(each.id, true_)
  }
  return operations.map(({ id }) => answers.get(id)!)
}
