/**
 * A part of seeds: one kind of thing that an account has, such as hosted zones. A part says which members it has, creates one
 * by the API, and reads back what an account has.
 */
import type { RootRequest } from '../../kernel/gate/service-caller.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { Input, OpName, Output } from '../../wire/typed.ts'
import type { Cloud } from '../compose/cloud.ts'
import type { SeedAccount, SeedDocument, SeedTags } from './seed-format.ts'

export type SeedPath = readonly (string | number)[]

/** Known members: `true` for a value, a shape for a list of objects. */
export interface Shape {
  readonly [member: string]: true | Shape
}

/** What the parts of an account are made with: its root user's calls. */
export interface Account {
  readonly id: string
  readonly region: string
  /** What the seed says of it; empty for an export. */
  readonly seed: SeedAccount
  readonly cloud: Cloud
  /** Calls an operation as the root user. `id`: the ID that the new resource gets. */
  readonly call: <M, N extends OpName<M>>(
    api: Api<M>,
    name: N,
    input: Input<M, N>,
    id?: string | undefined,
  ) => Promise<Output<M, N>>
}

/** Runs a step, so that a refusal names the line of the seed and what was refused: `policy 'look' for group 'readers'`. */
export type Step = (path: SeedPath, what: string, work: () => Promise<unknown>) => Promise<void>

/** Collects what an export leaves out, a sentence each. */
export type LeaveOut = (sentence: string) => void

export type Kind = Exclude<keyof SeedAccount, 'id' | 'name' | 'region' | 'rootKey'>
export type ItemOf<K extends Kind> = NonNullable<SeedAccount[K]>[number]

export interface SeedPart<K extends Kind = Kind> {
  readonly kind: K
  /** The member by which one is named in errors. One of several must be there. */
  readonly labels: readonly string[]
  readonly members: Shape
  readonly add: (account: Account, item: ItemOf<K>, step: Step) => Promise<void>
  readonly export: (account: Account, leaveOut: LeaveOut) => Promise<readonly ItemOf<K>[]>
}

export type AnyPart = { readonly [K in Kind]: SeedPart<K> }[Kind]

/** Typed by its kind. */
export const seedPart = <K extends Kind>(part: SeedPart<K>): SeedPart<K> => part

export function accountOf(cloud: Cloud, seed: SeedAccount): Account {
  const { id, region = 'us-east-1' } = seed
  return {
    id,
    region,
    seed,
    cloud,
    call: (api, name, input, chosenId) => {
      const from: RootRequest = { account: id, region, chosenId }
      return cloud.gate.callAsRoot(from, api, name, input)
    },
  }
}

/** Every page of a list. `read` gets the token of the page before. */
export async function pagesOf<T>(
  read: (token: string | undefined) => Promise<{
    readonly items: readonly T[] | undefined
    readonly next: string | undefined
  }>,
): Promise<readonly T[]> {
  const all: T[] = []
  let token: string | undefined
  do {
    const { items = [], next } = await read(token)
    all.push(...items)
    token = next
  } while (token !== undefined)
  return all
}

/** One after another: an export is in no hurry, and must not crowd out calls. */
export async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (const item of items) results.push(await work(item))
  return results
}

export const textOf = (document: SeedDocument): string =>
  typeof document === 'string' ? document : JSON.stringify(document)

/** A document as people read it; what is no JSON stays text. */
export function documentOf(text: string): SeedDocument {
  try {
    return JSON.parse(text) as object
  } catch {
    return text
  }
}

export const tagsOf = (tags: SeedTags | undefined) => Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }))

type ApiTag = { readonly Key?: string | undefined; readonly Value?: string | undefined }

/** Undefined for no tags. AWS's own are left out. */
export function seedTags(tags: readonly ApiTag[] | undefined): SeedTags | undefined {
  const own = (tags ?? []).filter(({ Key = '' }) => !Key.startsWith('aws:'))
  return own.length > 0 ? Object.fromEntries(own.map(({ Key = '', Value = '' }) => [Key, Value])) : undefined
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Without members that are undefined, or empty lists and objects: a seed says what is there. */
export function compact<T extends object>(value: T): Defined<T> {
  const isThere = (each: unknown) =>
    each !== undefined && !(typeof each === 'object' && each !== null && Object.keys(each).length === 0)
  return Object.fromEntries(Object.entries(value).filter(([, each]) => isThere(each))) as Defined<T>
}
