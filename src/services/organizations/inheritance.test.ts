/** Inheritance over made-up documents: what operators do, and what those above may forbid. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { effective, type Inherited, type JsonObject } from './inheritance.ts'

const at = (id: string, document: object): Inherited => ({ id, document: document as JsonObject })
const costCenter = (value: object) => ({ tags: { costcenter: { tag_value: value } } })
const values = (...levels: readonly (readonly Inherited[])[]) => {
  const { document } = effective(levels)
  return (document as { tags?: { costcenter?: { tag_value?: unknown } } } | undefined)?.tags?.costcenter?.tag_value
}

describe('What is inherited', () => {
  test('is assigned, added to and taken from on the way down, and loses its operators', () => {
    const root = at('root', costCenter({ '@@assign': ['100', '200'] }))
    const ou = at('ou', costCenter({ '@@append': ['300'] }))
    const account = at('account', costCenter({ '@@remove': ['100'] }))

    expect(effective([[root], [ou], [account]]).document).toEqual({
      tags: { costcenter: { tag_value: ['200', '300'] } },
    })
    expect(values([root], [at('ou', costCenter({ '@@assign': ['9'] }))])).toEqual(['9'])
  })

  test('is one tag, however it is spelt further down', () => {
    const below = at('ou', { tags: { CostCenter: { tag_value: { '@@append': ['2'] } } } })

    expect(values([at('root', costCenter({ '@@assign': ['1'] }))], [below])).toEqual(['1', '2'])
  })

  test.each([
    ['@@none', '@@assign'],
    ['@@none', '@@append'],
    ['@@append', '@@assign'],
    ['@@append', '@@remove'],
  ])(
    'cannot be changed from below where %s alone is left and %s is tried: it is told, and has no effect',
    (left, tried) => {
      const root = at('root', costCenter({ '@@assign': ['1'], '@@operators_allowed_for_child_policies': [left] }))

      const { document, conflicts } = effective([[root], [at('ou', costCenter({ [tried]: ['2'] }))]])

      expect(document).toEqual({ tags: { costcenter: { tag_value: ['1'] } } })
      expect(conflicts).toMatchObject([
        { code: 'OPERATOR_NOT_ALLOWED', path: 'tags/costcenter/tag_value', policies: ['root', 'ou'] },
      ])
    },
  )

  test('is not widened again by those it was narrowed for', () => {
    const narrowing = (id: string, ...names: string[]) =>
      at(id, costCenter({ '@@operators_allowed_for_child_policies': names }))
    const levels = [
      [at('root', costCenter({ '@@assign': ['1'] })), narrowing('limits', '@@append')],
      [narrowing('ou', '@@all')],
    ]

    expect(values(...levels, [at('account', costCenter({ '@@assign': ['2'] }))])).toEqual(['1'])
    expect(values(...levels, [at('account', costCenter({ '@@append': ['2'] }))])).toEqual(['1', '2'])
  })

  test('gets no new names where none may be added', () => {
    const root = at('root', {
      tags: { '@@operators_allowed_for_child_policies': ['@@none'], a: { tag_key: { '@@assign': 'a' } } },
    })

    const { document, conflicts } = effective([[root], [at('ou', { tags: { b: { tag_key: { '@@assign': 'b' } } } })]])

    expect(document).toEqual({ tags: { a: { tag_key: 'a' } } })
    expect(conflicts).toHaveLength(1)
  })

  test('stays a single value when somebody appends to it', () => {
    const root = at('root', costCenter({ '@@assign': 'one' }))

    const { conflicts } = effective([[root], [at('ou', costCenter({ '@@append': ['2'] }))]])

    expect(conflicts).toMatchObject([{ code: 'NOT_A_LIST' }])
    expect(values([root], [at('ou', costCenter({ '@@append': ['2'] }))])).toBe('one')
  })

  test('is nothing when nothing is said', () => {
    expect(effective([[], [at('ou', { tags: {} })]])).toEqual({ document: undefined, conflicts: [] })
  })
})

test('Whoever may only append cannot take anything away, whatever is written below', () => {
  const operator = fc.constantFrom('@@assign', '@@append', '@@remove')
  const said = fc.tuple(operator, fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }))
  fc.assert(
    fc.property(fc.array(said, { maxLength: 6 }), (below) => {
      const root = at(
        'root',
        costCenter({ '@@assign': ['a', 'b'], '@@operators_allowed_for_child_policies': ['@@append'] }),
      )
      const left = values([root], ...below.map(([name, list], n) => [at(`${n}`, costCenter({ [name]: list }))]))
      expect(left).toEqual(expect.arrayContaining(['a', 'b']))
    }),
  )
})
