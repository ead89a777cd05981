/** The small models of the first page. */
import { expect, test } from 'vitest'
import { operationsOf } from '../../../src/wire/shape.ts'
import { firstPage } from './first-page-models.ts'
import { FIRST_PAGE, loadModel, modelWith } from './model.ts'

test('have the operations that are listed, and give way to the whole model', async () => {
  const has = Object.entries(firstPage).map(([id, schemas]) => [id, [...operationsOf(schemas).keys()].sort()])
  expect(Object.fromEntries(has)).toEqual(FIRST_PAGE)

  const small = await modelWith('kms', 'ListKeys')
  expect([...small.operations.keys()].sort()).toEqual(['DescribeKey', 'ListKeys'])
  expect((await modelWith('iam', 'CreateUser')).operations.has('CreateUser')).toBe(true)
  const whole = await loadModel('kms')
  expect(await modelWith('kms', 'ListKeys')).toBe(whole)
})
