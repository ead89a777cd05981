/** Tags of functions. */
import { functionType, invalid, lambda, parseReference } from './resources.ts'

export const tagging = lambda.tagging(functionType, {
  tag: 'TagResource',
  untag: 'UntagResource',
  list: 'ListTags',
  resource: 'Resource',
  keys: 'TagKeys',
  named: {
    reference: (call, text) => {
      const { scope, id, qualifier } = parseReference(call, text)
      if (qualifier === undefined) return { scope, id }
      throw invalid('Tags on function aliases and versions are not supported. Please specify a function ARN.')
    },
  },
  listed: (tags) => ({ Tags: { ...tags } }),
})
