/** Tags on keys. */
import type * as KMS from '@aws-sdk/client-kms'
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { listAmong, type Paging, SMALL } from './lists.ts'
import { key } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { requireState, type StatefulOperation } from './states.ts'
import { shownTags } from './tag-rules.ts'
import { ofOwnAccount } from './targets.ts'
import { kms } from './words.ts'

export const tagging = kms.tagging(key, {
  tag: 'TagResource',
  untag: 'UntagResource',
  list: 'ListResourceTags',
  resource: 'KeyId',
  named: ofOwnAccount,
  guard: (call, row: KeyRow) => requireState(row, call.operation as StatefulOperation),
  listed: async (tags: Tags, call: Call, input: Paging, row: KeyRow) => {
    const { items, rest } = await listAmong(
      call,
      shownTags(tags),
      ({ TagKey }) => TagKey!,
      input,
      { ...SMALL, max: 50 },
      row.id,
    )
    return { Tags: [...items] as KMS.Tag[], ...rest }
  },
})
