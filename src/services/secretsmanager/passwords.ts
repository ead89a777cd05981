/** Random passwords. */
import { anything } from '../../kernel/resource/target.ts'
import { randomPassword } from './random-password.ts'
import { invalidParameter, secretsmanager } from './resources.ts'

export const getRandomPassword = secretsmanager
  .operation('GetRandomPassword')
  .on(anything)
  .run((_call, input) => {
    const RandomPassword = randomPassword({
      length: input.PasswordLength ?? 32,
      excluded: input.ExcludeCharacters ?? '',
      lowercase: !input.ExcludeLowercase,
      uppercase: !input.ExcludeUppercase,
      numbers: !input.ExcludeNumbers,
      punctuation: !input.ExcludePunctuation,
      space: input.IncludeSpace ?? false,
      eachType: input.RequireEachIncludedType ?? true,
    })
    if (RandomPassword === undefined) {
      throw invalidParameter('The password cannot be made of the character types that are left at this length.')
    }
    return { RandomPassword }
  })
