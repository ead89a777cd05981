/**
 * Sources of attributes in IAM Identity Center: placeholders for values of a user, in the attribute map of an application.
 * Source: https://docs.aws.amazon.com/singlesignon/latest/userguide/attributemappingsconcept.html
 *
 * @example
 * valuesOf('${user:email}', user, []) // ['ana@corp.test']
 */
import type { StoreUser } from './ports/identity-store.ts'

type Person = Pick<StoreUser, 'attributes' | 'displayName' | 'email' | 'userName'>

const USER: Readonly<Record<string, (person: Person) => string | undefined>> = {
  email: ({ email }) => email,
  subject: ({ userName }) => userName,
  preferredUsername: ({ userName }) => userName,
  name: ({ displayName }) => displayName,
  givenName: ({ attributes }) => attributes['name.givenName'],
  middleName: ({ attributes }) => attributes['name.middleName'],
  familyName: ({ attributes }) => attributes['name.familyName'],
}
const GROUPS = '${user:groups}'
const SOURCE = /^\$\{(user|path):([^${}]{1,256})\}$/

/** Whether a text is a source, or a fixed value: one that contains no placeholder. */
export function isAttributeSource(source: string): boolean {
  const [, kind, name = ''] = SOURCE.exec(source) ?? []
  if (kind === 'user') return source === GROUPS || Object.hasOwn(USER, name)
  return kind === 'path' || !source.includes('${')
}

/** The person's values; none where the person has no such attribute. `groups` are IDs. */
export function valuesOf(source: string, person: Person, groups: readonly string[]): readonly string[] {
  if (source === GROUPS) return groups
  const [, kind, name = ''] = SOURCE.exec(source) ?? []
  const value =
    kind === undefined
      ? source
      : kind === 'path'
        ? person.attributes[name]
        : Object.hasOwn(USER, name)
          ? USER[name]!(person)
          : undefined
  return value === undefined || value === '' ? [] : [value]
}
