/** The effective policy as a pure function: AWS's examples, and what must hold of any tree of policies. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Inherited, merge, problemsOf } from './inheritance.ts'
import { managementForms } from './management-forms.ts'
import { type Branch, checkManagementPolicy } from './management-policy.ts'

const NONE = { '@@operators_allowed_for_child_policies': ['@@none'] }
const only = (...operators: readonly string[]) => ({ '@@operators_allowed_for_child_policies': operators })

const costs = (values: object, key: object = {}): Branch => ({ costcenter: { ...key, tag_value: values } })
const named = (content: Branch, policy = 'p'): Inherited => ({ policy, content })
/** One policy a level, from the root down. */
const effective = (...levels: readonly Branch[]) => merge(levels.map((content) => [named(content)])).effective

/** After https://docs.aws.amazon.com/organizations/latest/userguide/inheritance-examples.html */
describe('A child policy', () => {
  test.each([
    [
      'overwrites values where it may assign',
      [costs({ '@@assign': ['Development', 'Support'], ...only('@@assign') }), costs({ '@@assign': ['Sandbox'] })],
      ['Sandbox'],
    ],
    [
      'appends values where it may',
      [costs({ '@@assign': ['Development', 'Support'], ...only('@@append') }), costs({ '@@append': ['Marketing'] })],
      ['Development', 'Support', 'Marketing'],
    ],
    [
      'removes values where it may',
      [
        costs({ '@@assign': ['Development', 'Support', 'Marketing'], ...only('@@remove') }),
        costs({ '@@remove': ['Development', 'Support'] }),
      ],
      ['Marketing'],
    ],
    [
      'does nothing that it may not',
      [
        costs({ '@@assign': ['Development'], ...only('@@append') }),
        costs({ '@@assign': ['Sandbox'] }),
        costs({ '@@remove': ['Development'] }),
        costs({ '@@append': ['Support'] }),
      ],
      ['Development', 'Support'],
    ],
    [
      'changes nothing below @@none',
      [costs({ '@@assign': ['Development'], ...NONE }), costs({ '@@assign': ['x'], '@@append': ['y'] })],
      ['Development'],
    ],
    [
      'cannot give back what was taken above',
      [
        costs({ '@@assign': ['Development'], ...only('@@append') }),
        costs({ '@@append': ['Support'], ...only('@@all') }),
        costs({ '@@assign': ['Sandbox'] }),
      ],
      ['Development', 'Support'],
    ],
    [
      'may take away more than was taken above',
      [
        costs({ '@@assign': ['Development'], ...only('@@append', '@@remove') }),
        costs({ '@@append': ['Support'], ...only('@@remove') }),
        costs({ '@@append': ['Marketing'], '@@remove': ['Development'] }),
      ],
      ['Support'],
    ],
    ['appends to nothing as if it assigned', [{}, costs({ '@@append': ['Development'] })], ['Development']],
    [
      'adds a value once',
      [costs({ '@@assign': ['Development'] }), costs({ '@@append': ['Development', 'Support'] })],
      ['Development', 'Support'],
    ],
  ])('%s', (_what, levels, values) => {
    expect(effective(...levels)).toEqual({ costcenter: { tag_value: values } })
  })

  test('adds no member to a branch closed to it, and may still change what is there', () => {
    const parent: Branch = { ...NONE, costcenter: { tag_key: { '@@assign': 'CostCenter' } } }
    const child: Branch = {
      costcenter: { tag_key: { '@@assign': 'COSTCENTER' } },
      project: { ...NONE, tag_key: { '@@assign': 'Project' } },
    }

    expect(effective(parent, child)).toEqual({ costcenter: { tag_key: 'COSTCENTER' } })
  })

  test('opts out of AI services where the root locked all three levels: nothing it says is applied', () => {
    const root: Branch = { ...NONE, default: { ...NONE, opt_out_policy: { ...NONE, '@@assign': 'optOut' } } }
    const child: Branch = {
      default: { opt_out_policy: { '@@assign': 'optIn' } },
      lex: { opt_out_policy: { '@@assign': 'optIn' } },
    }

    expect(effective(root, child)).toEqual({ default: { opt_out_policy: 'optOut' } })
  })
})

describe('Policies of one level', () => {
  test('are applied in the order they were attached, and do not bind each other', () => {
    const [a, b] = [
      named(costs({ '@@assign': ['Development'], ...NONE }, { tag_key: { '@@assign': 'CostCenter' } }), 'a'),
      named(costs({ '@@append': ['Support'] }, { tag_key: { '@@assign': 'costcenter' } }), 'b'),
    ]

    expect(merge([[a, b]]).effective).toEqual({
      costcenter: { tag_key: 'costcenter', tag_value: ['Development', 'Support'] },
    })
    expect(merge([[b, a]]).effective).toEqual({ costcenter: { tag_key: 'CostCenter', tag_value: ['Development'] } })
  })

  test('leave to child policies only what all of them allow', () => {
    const [a, b] = [
      named(costs({ '@@append': ['Development'], ...only('@@append', '@@remove') })),
      named(costs({ '@@append': ['Support'], ...only('@@append', '@@assign') })),
    ]
    const child = named(costs({ '@@assign': ['x'], '@@remove': ['Support'], '@@append': ['Marketing'] }))

    expect(merge([[a, b], [child]]).effective).toEqual({
      costcenter: { tag_value: ['Development', 'Support', 'Marketing'] },
    })
  })
})

describe('Of any tree', () => {
  const OPERATORS = ['@@assign', '@@append', '@@remove'] as const
  const values = fc.subarray(['a', 'b', 'c', 'd'])
  const control = fc.option(
    fc.oneof(fc.constantFrom(['@@all'], ['@@none']), fc.subarray([...OPERATORS], { minLength: 1 })),
    { nil: undefined },
  )
  const leaf = fc
    .tuple(fc.subarray([...OPERATORS], { minLength: 1 }), values, control)
    .map(([operators, list, allowed]) => ({
      ...Object.fromEntries(operators.map((operator) => [operator, list])),
      ...(allowed && only(...allowed)),
    }))
  const branch: fc.Arbitrary<Branch> = fc.dictionary(
    fc.constantFrom('x', 'y', '__proto__', 'constructor'),
    fc.dictionary(fc.constantFrom('k', 'l'), leaf),
  )
  const levels = fc.array(
    fc.array(
      branch.map((content) => named(content)),
      { maxLength: 2 },
    ),
    { maxLength: 5 },
  )

  test('levels without policies change nothing', () => {
    fc.assert(
      fc.property(levels, fc.nat(), (tree, at) => {
        const place = at % (tree.length + 1)
        const padded = [...tree.slice(0, place), [], ...tree.slice(place)]
        expect(merge(padded).effective).toEqual(merge(tree).effective)
      }),
    )
  })

  test('what a level closes, nothing below it changes', () => {
    fc.assert(
      fc.property(levels, values, levels, (above, list, below) => {
        const locked = named({ x: { k: { '@@assign': list, ...NONE } } })
        const value = (tree: typeof levels extends fc.Arbitrary<infer T> ? T : never) =>
          (merge(tree).effective['x'] as Record<string, unknown> | undefined)?.['k']

        expect(value([...above, [locked], ...below])).toEqual(value([...above, [locked]]))
      }),
    )
  })

  test('that may only append takes nothing away, whatever is written below', () => {
    fc.assert(
      fc.property(values, levels, (list, below) => {
        const root = named({ x: { k: { '@@assign': list, ...only('@@append') } } })
        const outcome = merge([[root], ...below]).effective['x'] as Record<string, unknown>

        expect(outcome['k']).toEqual(expect.arrayContaining([...list]))
      }),
    )
  })

  test('a closed branch never gains members', () => {
    fc.assert(
      fc.property(levels, levels, (above, below) => {
        const closed = named({ ...NONE })
        const members = (tree: typeof above) => Object.keys(merge(tree).effective).sort()

        expect(members([...above, [closed], ...below])).toEqual(members([...above, [closed]]))
      }),
    )
  })

  test('where nothing is closed, one leaf is what a plain list would become', () => {
    const step = fc.tuple(fc.constantFrom(...OPERATORS), values)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let model: readonly string[] | undefined
        for (const [operator, list] of steps) {
          if (operator === '@@assign') model = list
          if (operator === '@@append') model = [...new Set([...(model ?? []), ...list])]
          if (operator === '@@remove') model = model?.filter((each) => !list.includes(each))
        }
        const tree = steps.map(([operator, list]) => [named({ x: { k: { [operator]: list } } })])

        expect((merge(tree).effective['x'] as Record<string, unknown> | undefined)?.['k']).toEqual(model)
      }),
    )
  })
})

describe('What had no effect', () => {
  test.each([
    ['@@none', '@@assign'],
    ['@@none', '@@append'],
    ['@@append', '@@assign'],
    ['@@append', '@@remove'],
  ])('is reported where %s alone is left and %s is tried', (left, tried) => {
    const { effective: outcome, conflicts } = merge([
      [named(costs({ '@@assign': ['1'], ...only(left) }), 'root')],
      [named(costs({ [tried]: ['2'] }), 'ou')],
    ])

    expect(outcome).toEqual({ costcenter: { tag_value: ['1'] } })
    expect(conflicts).toMatchObject([
      { code: 'OPERATOR_NOT_ALLOWED', path: ['costcenter', 'tag_value'], policies: ['root', 'ou'] },
    ])
  })

  test('is reported for a new name where none may be added', () => {
    const root: Branch = { ...NONE, a: { tag_key: { '@@assign': 'a' } } }

    const { effective: outcome, conflicts } = merge([[named(root)], [named({ b: { tag_key: { '@@assign': 'b' } } })]])

    expect(outcome).toEqual({ a: { tag_key: 'a' } })
    expect(conflicts).toHaveLength(1)
  })

  test('is reported for values added to a single one, which stays single', () => {
    const { effective: outcome, conflicts } = merge([
      [named(costs({ '@@assign': 'one' }))],
      [named(costs({ '@@append': ['2'] }))],
    ])

    expect(outcome).toEqual({ costcenter: { tag_value: 'one' } })
    expect(conflicts).toMatchObject([{ code: 'NOT_A_LIST' }])
  })
})

test('A tag is one, however it is spelt further down, and locked however it is spelt', () => {
  const root = costs({ '@@assign': ['1'], ...only('@@append') })
  const spelt = (values: object): Branch => ({ CostCenter: { tag_value: values } })

  expect(effective(root, spelt({ '@@append': ['2'] }))).toEqual({ costcenter: { tag_value: ['1', '2'] } })
  expect(effective(root, spelt({ '@@assign': ['2'] }))).toEqual({ costcenter: { tag_value: ['1'] } })
})

test('Nothing comes of nothing said', () => {
  expect(merge([[], [named({})]])).toMatchObject({ effective: {}, conflicts: [] })
})

test('A restriction attached beside a setting binds those below, and they cannot widen it', () => {
  const levels = [[named(costs({ '@@assign': ['1'] })), named(costs(only('@@append')))], [named(costs(only('@@all')))]]
  const below = (values: object) => merge([...levels, [named(costs(values))]]).effective

  expect(below({ '@@assign': ['2'] })).toEqual({ costcenter: { tag_value: ['1'] } })
  expect(below({ '@@append': ['2'] })).toEqual({ costcenter: { tag_value: ['1', '2'] } })
})

test('The contributing policies are listed, for a path and all below it', () => {
  const merged = merge([
    [named(costs({ '@@assign': ['Development'], ...NONE }), 'root')],
    [named(costs({ '@@append': ['unheard'] }), 'unheard')],
    [named({ costcenter: { tag_key: { '@@assign': 'CostCenter' } } }, 'account')],
  ])

  expect(merged.contributors(['costcenter', 'tag_value'])).toEqual(['root'])
  expect(merged.contributors(['costcenter'])).toEqual(['account', 'root'])
})

test('A backup plan without its parts, or with too many rules, is no valid outcome', () => {
  const rules = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${i}`, { target_backup_vault_name: 'vault' }]))
  const plan = (count: number) => ({ p: { regions: ['eu-central-1'], rules: rules(count), selections: {} } })
  const form = managementForms['plans']!

  expect(problemsOf(plan(10), form)).toEqual([])
  expect(problemsOf(plan(11), form)).toMatchObject([{ code: 'ELEMENTS_TOO_MANY', path: ['p', 'rules'] }])
  expect(problemsOf({ p: { regions: [], rules: { r: {} } } }, form)).toMatchObject([
    { code: 'ELEMENT_MISSING', path: ['p'] },
    { code: 'ELEMENT_MISSING', path: ['p', 'rules', 'r'] },
  ])
})

describe('A management policy is malformed', () => {
  const assign = (value: unknown) => ({ '@@assign': value })
  test.each([
    ['when it is no JSON', 'tags', '{'],
    ['when it is a list', 'tags', '[]'],
    ['under another name', 'tags', { plans: {} }],
    ['with two names', 'tags', { tags: {}, plans: {} }],
    ['with a value where an operator belongs', 'tags', { tags: { a: { tag_key: 'a' } } }],
    ['with an unknown operator', 'tags', { tags: { a: { tag_key: { '@@set': 'a' } } } }],
    ['with operators and members side by side', 'tags', { tags: { a: { ...assign('x'), tag_key: assign('a') } } }],
    ['with a member that the type does not have', 'tags', { tags: { a: { tag_kei: assign('a') } } }],
    ['with a list for a single value', 'tags', { tags: { a: { tag_key: assign(['a']) } } }],
    ['with a single value for a list', 'tags', { tags: { a: { tag_value: assign('a') } } }],
    ['when it appends what is no list', 'tags', { tags: { a: { tag_value: { '@@append': 'a' } } } }],
    ['with an object as a value', 'tags', { tags: { a: { tag_key: assign({}) } } }],
    ['when it allows an operator that does not exist', 'tags', { tags: { ...only('@@some') } }],
    ['when it allows everything and something', 'tags', { tags: { ...only('@@all', '@@assign') } }],
    ['when it allows an empty list', 'tags', { tags: { ...only() } }],
    ['with an opt-out that is neither', 'services', { services: { default: { opt_out_policy: assign('no') } } }],
    [
      'with a state that EC2 does not know',
      'ec2_attributes',
      {
        ec2_attributes: { image_block_public_access: { state: assign('off') } },
      },
    ],
    [
      'with public access half blocked',
      's3_attributes',
      {
        s3_attributes: { public_access_block_configuration: assign('some') },
      },
    ],
  ])('%s', (_what, name, content) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    expect(() => checkManagementPolicy(text, name)).toThrow(SyntaxError)
  })

  test('or sound, as these of AWS’s pages are', () => {
    for (const [name, content] of [
      ['services', { default: { opt_out_policy: { ...NONE, '@@assign': 'optOut' } } }],
      ['s3_attributes', { public_access_block_configuration: assign('all') }],
      ['securityhub', { enable_in_regions: { '@@append': ['ALL_SUPPORTED'] }, disable_in_regions: { '@@append': [] } }],
      ['upgrade_rollout', { default: { patch_order: assign('last') } }],
      ['ec2_attributes', { serial_console_access: { status: assign('disabled') }, exception_message: assign('Ask.') }],
      ['tags', { costcenter: { tag_key: assign('CostCenter'), enforced_for: { '@@append': ['secretsmanager:*'] } } }],
    ] as const) {
      expect(() => checkManagementPolicy(JSON.stringify({ [name]: content }), name)).not.toThrow()
    }
  })
})
