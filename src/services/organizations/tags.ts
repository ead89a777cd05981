/** Tags of what requests create or tag. */
import type { Tags } from '../../kernel/resource/facts.ts'
import { mergedTags, tagAuthorization } from '../../kernel/resource/tag-rules.ts'
import type { TagPair } from '../../kernel/resource/tags.ts'
import { tagRules } from './resources.ts'
import type { OrganizationTarget, ResourceRef } from './within.ts'

export const newTags = (pairs: readonly TagPair[] = []): Tags => mergedTags(tagRules, undefined, pairs)

/** Creating a resource with tags needs the permission to tag it. */
export async function mayTag(
  alsoOn: OrganizationTarget<unknown>['alsoOn'],
  created: ResourceRef,
  pairs: readonly TagPair[] = [],
): Promise<void> {
  const tagging = tagAuthorization(tagRules, pairs)
  if (tagging) await alsoOn({ arn: created.arn }, tagging.conditions, tagging.action)
}
