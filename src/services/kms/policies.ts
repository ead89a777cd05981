/** Key policies: the root of all authority over a key. */
import { shownPolicy } from '../../kernel/resource/pinned.ts'
import { governed, NAME } from './governance.ts'
import { saveKey } from './key-materials.ts'
import { requireState } from './states.ts'
import { ownKey } from './targets.ts'
import { invalid, kms } from './words.ts'

function requireName(name: string | undefined): void {
  if (name !== undefined && name !== NAME) throw kms.fail('NotFoundException', 'No such policy exists')
}

export const getKeyPolicy = kms
  .operation('GetKeyPolicy')
  .on(ownKey)
  .run(async (call, input, { row }) => {
    requireState(row, 'GetKeyPolicy')
    requireName(input.PolicyName)
    return { Policy: await shownPolicy(call, row.policy, row.pins), PolicyName: NAME }
  })

export const putKeyPolicy = kms
  .operation('PutKeyPolicy')
  .on(ownKey)
  .run(async (call, input, { row }) => {
    requireState(row, 'PutKeyPolicy')
    if (input.PolicyName !== undefined && input.PolicyName !== NAME) {
      throw invalid(`Policy name must be '${NAME}'.`)
    }
    saveKey(call.unit, { ...row, ...(await governed(call, input.Policy, row, input.BypassPolicyLockoutSafetyCheck)) })
    return {}
  })

export const listKeyPolicies = kms
  .operation('ListKeyPolicies')
  .on(ownKey)
  .run((_call, _input, { row }) => {
    requireState(row, 'ListKeyPolicies')
    return { PolicyNames: [NAME], Truncated: false }
  })
