/** The owner of credentials: a user by its unique ID, or the root user by the account's number. */
import type { Call } from '../../../kernel/gate/call.ts'
import type { ResolvedTarget, Target } from '../../../kernel/resource/target.ts'
import { Fault } from '../../../wire/fault.ts'
import { type UserRow, user } from '../resources.ts'
import { date } from '../words.ts'
import { type RootSelf, rowNamed, userNamedOrSelf } from './self.ts'

export interface Owner {
  readonly id: string
  readonly name: string
}

export function ownerOf(call: Call, self: UserRow | RootSelf): Owner {
  return 'root' in self ? { id: call.account, name: self.root.UserName } : { id: self.id, name: self.name }
}

/** For what only users can have: a caller that is not a user must name one. */
export function userOnly(self: UserRow | RootSelf): UserRow {
  if ('root' in self) throw new Fault('ValidationError', 'Must specify userName when calling with non-User credentials')
  return self
}

/** As the API shows an owner beside what it owns. */
export function ownerShown(call: Call, self: UserRow | RootSelf) {
  if ('root' in self) return self.root
  return {
    Path: self.path,
    UserName: self.name,
    UserId: self.id,
    Arn: user.arnOf(call, self),
    CreateDate: date(self.createdAt),
  }
}

/**
 * As `userNamedOrSelf`, for operations in which a name is required: the root user, which has no user name, answers to
 * `root` as long as no user is called so.
 */
export function userNamedOrRoot<K extends string>(
  member: K,
): Target<{ readonly [P in K]?: string | undefined }, UserRow | RootSelf> {
  const self = userNamedOrSelf('self')
  return {
    find: async (call, input): Promise<ResolvedTarget<UserRow | RootSelf>> => {
      const name = input[member] ?? ''
      const found = await rowNamed(call, name)
      return !found.row && name === 'root' && call.caller.principal.kind === 'root' ? self.find(call, {}) : found
    },
  }
}
