/** What the account demands of its users' passwords. One document an account; none means AWS's own demands. */
import type { Call } from '../../../kernel/gate/call.ts'
import type { PasswordRules } from '../../../kernel/passwords.ts'
import { anything } from '../../../kernel/resource/target.ts'
import { key } from '../../../store/store.ts'
import { iam } from '../words.ts'

interface PasswordPolicyRow extends PasswordRules {
  readonly usersMayChange: boolean
  readonly ageMaxDays?: number
  /** How many passwords of the past may not come back. */
  readonly reusePrevention?: number
  readonly hardExpiry?: boolean
}

const policyKey = (account: string) => key('iam', 'password-policy', account)

export function passwordPolicyOf(call: Pick<Call, 'unit' | 'account'>): Promise<PasswordPolicyRow | undefined> {
  return call.unit.get<PasswordPolicyRow>(policyKey(call.account))
}

export const getAccountPasswordPolicy = iam
  .operation('GetAccountPasswordPolicy')
  .on(anything)
  .run(async (call) => {
    const row = await required(call)
    return {
      PasswordPolicy: {
        MinimumPasswordLength: row.lengthMin,
        RequireSymbols: row.symbols,
        RequireNumbers: row.numbers,
        RequireUppercaseCharacters: row.uppercase,
        RequireLowercaseCharacters: row.lowercase,
        AllowUsersToChangePassword: row.usersMayChange,
        ExpirePasswords: row.ageMaxDays !== undefined,
        ...(row.ageMaxDays !== undefined && { MaxPasswordAge: row.ageMaxDays }),
        ...(row.reusePrevention !== undefined && { PasswordReusePrevention: row.reusePrevention }),
        ...(row.hardExpiry !== undefined && { HardExpiry: row.hardExpiry }),
      },
    }
  })

/** Not a partial update: what is not said goes back to its default, as AWS documents. */
export const updateAccountPasswordPolicy = iam
  .operation('UpdateAccountPasswordPolicy')
  .on(anything)
  .run((call, input) => {
    const row: PasswordPolicyRow = {
      lengthMin: input.MinimumPasswordLength ?? 6,
      symbols: input.RequireSymbols ?? false,
      numbers: input.RequireNumbers ?? false,
      uppercase: input.RequireUppercaseCharacters ?? false,
      lowercase: input.RequireLowercaseCharacters ?? false,
      usersMayChange: input.AllowUsersToChangePassword ?? false,
      ...(input.MaxPasswordAge !== undefined && { ageMaxDays: input.MaxPasswordAge }),
      ...(input.PasswordReusePrevention !== undefined && { reusePrevention: input.PasswordReusePrevention }),
      ...(input.HardExpiry !== undefined && { hardExpiry: input.HardExpiry }),
    }
    call.unit.put(policyKey(call.account), row)
    return {}
  })

export const deleteAccountPasswordPolicy = iam
  .operation('DeleteAccountPasswordPolicy')
  .on(anything)
  .run(async (call) => {
    if (!(await passwordPolicyOf(call))) {
      throw iam.fail('NoSuchEntityException', 'The account policy with name PasswordPolicy cannot be found.')
    }
    call.unit.delete(policyKey(call.account))
    return {}
  })

async function required(call: Call): Promise<PasswordPolicyRow> {
  const row = await passwordPolicyOf(call)
  if (row) return row
  throw iam.fail('NoSuchEntityException', `The Password Policy with domain name ${call.account} cannot be found.`)
}
