/** Every resource type of every service, against the service authorization reference. */
import { describe, expect, test } from 'vitest'
import reference from '../models/iam-reference.json' with { type: 'json' }
import { isKnownAction } from '../src/kernel/gate/actions.ts'
import { services } from '../src/server/compose/services.ts'

interface ServiceReference {
  readonly resources: Readonly<Record<string, { readonly arn: string }>>
}
const known = reference.services as unknown as Readonly<Record<string, ServiceReference>>
const types = services.flatMap(({ resources = [] }) => resources)

describe('Each resource type', () => {
  test.each(types.map((type) => [type.spec.type, type] as const))(
    '%s has an ARN form of the reference',
    (_name, type) => {
      const { arn, tags } = type.spec
      const [, , service = ''] = arn.split(':')

      expect(Object.values(known[service]!.resources).map((resource) => resource.arn)).toContain(arn)
      if (tags) expect(isKnownAction(tags.action)).toBe(true)
    },
  )

  test.each(types.map((type) => [type.spec.type, type] as const))(
    '%s takes no ARN as a part of its ARN',
    (_name, { form }) => {
      const nested = form.names.filter((name) => form.accepts(name, 'arn:aws:iam::444455556666:saml-provider/x'))

      expect(nested).toEqual([])
    },
  )

  test('has rows of its own', () => {
    const kinds = types.map(({ spec }) => `${spec.arn.split(':')[2]}/${spec.kind}`)

    expect(new Set(kinds).size).toBe(kinds.length)
  })
})
