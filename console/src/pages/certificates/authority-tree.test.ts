import { expect, test } from 'vitest'
import { type Issued, treeOf } from './authority-tree.ts'

const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`
const issued = (Arn: string, certificate?: string, chain?: string): Issued => ({
  authority: { Arn },
  certificate,
  chain,
})

test('an authority is below the one whose certificate begins its chain', () => {
  const tree = treeOf([
    issued('leaf', pem('LEAF'), `${pem('MID\nDLE')}\n${pem('ROOT')}`),
    issued('root', pem('ROOT')),
    issued('middle', pem('MIDDLE'), pem('ROOT')),
    issued('waiting'),
    issued('elsewhere', pem('OTHER'), pem('UNKNOWN')),
  ])
  expect(tree.map(({ authority }) => authority.Arn)).toEqual(['root', 'waiting', 'elsewhere'])
  const [middle] = tree[0]!.children
  expect(middle!.authority.Arn).toBe('middle')
  expect(middle!.children.map(({ authority }) => authority.Arn)).toEqual(['leaf'])
  expect(tree.map(({ isIssuedElsewhere }) => isIssuedElsewhere)).toEqual([false, false, true])
})
