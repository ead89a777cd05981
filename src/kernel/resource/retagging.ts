/** Tags in requests that change a resource. */
import type { Call } from '../gate/call.ts'
import type { Tags } from './facts.ts'
import { requestTagConditions } from './tag-rules.ts'

/**
 * Authorizes what an update does to the tags of its resource: it needs the permissions that tagging and untagging need by
 * themselves. Tags that stay as they are need none.
 *
 * @param actions the permissions to add or change tags, and to remove them: `cognito-idp:TagResource`
 * @throws the denial
 */
export async function authorizeRetagging(
  call: Call,
  facts: Parameters<Call['authorize']>[1],
  actions: { readonly tag: string; readonly untag: string },
  before: Tags | undefined,
  after: Tags,
): Promise<void> {
  const changed = Object.entries(after).filter(([key, value]) => before?.[key] !== value)
  const removed = Object.keys(before ?? {}).filter((key) => !(key in after))
  if (changed.length > 0) {
    const pairs = changed.map(([Key, Value]) => ({ Key, Value }))
    await call.authorize(actions.tag, facts, requestTagConditions(pairs))
  }
  if (removed.length > 0) await call.authorize(actions.untag, facts, { 'aws:TagKeys': removed })
}
