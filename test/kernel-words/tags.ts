/** The tag rules of certificates. */
import type { TagRules } from '../../src/kernel/resource/tag-rules.ts'
import { TAGS_MAX } from '../../src/kernel/resource/tags.ts'
import { Fault } from '../../src/wire/fault.ts'

export const tagRules: TagRules = {
  action: 'acm:AddTagsToCertificate',
  member: 'Tags',
  problems: {
    duplicate: () => new Fault('InvalidTagException', 'Duplicate tag keys found.'),
    reserved: () => new Fault('InvalidTagException', 'Tag keys that begin with aws: are reserved.'),
    'too-many': () => new Fault('TooManyTagsException', `A certificate can have at most ${TAGS_MAX} tags.`),
  },
}
