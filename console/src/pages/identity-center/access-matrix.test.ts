import { expect, test } from 'vitest'
import { type MatrixSource, matrixCsv, matrixOf } from './access-matrix.ts'

const source = {
  sets: [
    { Name: 'Admin', PermissionSetArn: 'set/admin' },
    { Name: 'Read', PermissionSetArn: 'set/read' },
  ],
  people: [
    { UserId: 'u1', UserName: 'ann' },
    { UserId: 'u2', UserName: 'bob' },
  ],
  groups: [{ GroupId: 'g1', DisplayName: 'auditors' }],
  memberships: [
    { GroupId: 'g1', MemberId: { UserId: 'u1' } },
    { GroupId: 'g1', MemberId: { UserId: 'u2' } },
  ],
  assignments: [
    { account: '222222222222', set: 'set/read', kind: 'GROUP', principal: 'g1' },
    { account: '111111111111', set: 'set/admin', kind: 'USER', principal: 'u1' },
    { account: '222222222222', set: 'set/admin', kind: 'USER', principal: 'gone' },
  ],
} as unknown as MatrixSource

test('groups and people have a row each; a deleted principal is named by its ID', () => {
  const { accounts, rows } = matrixOf(source, false)
  expect(accounts).toEqual(['111111111111', '222222222222'])
  expect(rows.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['GROUP auditors', 'USER ann', 'USER gone'])
})

test('a person has what is assigned to them and to their groups, with the group named', () => {
  const { rows } = matrixOf(source, true)
  const ann = rows.find(({ name }) => name === 'ann')!
  expect(ann.cells.get('111111111111')).toEqual([{ set: 'Admin', setArn: 'set/admin' }])
  expect(ann.cells.get('222222222222')).toEqual([{ set: 'Read', setArn: 'set/read', via: 'auditors' }])
  expect(rows.map(({ name }) => name)).toEqual(['ann', 'bob', 'gone'])
})

test('the table of values has a line an assignment', () => {
  const [head, ...lines] = matrixCsv(matrixOf(source, true), new Map([['222222222222', 'Shop']]))
  expect(head).toContain('viaGroup')
  expect(lines).toContainEqual(['USER', 'bob', 'u2', '222222222222', 'Shop', 'Read', 'auditors'])
  expect(lines).toHaveLength(4)
})
