/** The list of service principals holds every service that IAM knows actions of. */
import { expect, test } from 'vitest'
import names from '../../../models/service-names.json' with { type: 'json' }
import { isServicePrincipal } from './service-principals.ts'

test('every prefix of actions is a service principal, but the one of the tagging API', () => {
  const missing = Object.keys(names).filter((prefix) => !isServicePrincipal(`${prefix}.amazonaws.com`))

  expect(missing).toEqual(['tag'])
})

test.each(['lambda', 'lambda.amazonaws.com.evil.com', 'lambda.eu-west-1', '.amazonaws.com', 'x.lambda.amazonaws.com'])(
  '%s is none',
  (name) => {
    expect(isServicePrincipal(name)).toBe(false)
  },
)
