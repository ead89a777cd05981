/** What serves as a register: a user and its path, a secret and its value. Each is read, written and created by one call. */
import { type Client, element } from '../../src/kernel/client/client.ts'
import type { Action, Operation, State } from './history.ts'

export interface Kind {
  readonly name: string
  /** What it cannot do is not there. */
  readonly calls: Partial<
    Record<Action, (client: Client, register: string, value: string) => Promise<State | undefined>>
  >
  /** The changes as the audit log names them, and where their events name the value. */
  readonly events: Readonly<Record<string, (parameters: Readonly<Record<string, unknown>>) => unknown>>
}

const pathOf = (value: string) => `/${value}/`
const secrets = <T>(client: Client, operation: string, input: object) =>
  client.json<T>('secretsmanager', `secretsmanager.${operation}`, input)

export const KINDS: readonly Kind[] = [
  {
    name: 'user',
    calls: {
      read: async (client, UserName) =>
        element(await client.query('iam', 'GetUser', { UserName }), 'Path')!.slice(1, -1),
      write: async (client, UserName, value) =>
        void (await client.query('iam', 'UpdateUser', { UserName, NewPath: pathOf(value) })),
      create: async (client, UserName, value) =>
        void (await client.query('iam', 'CreateUser', { UserName, Path: pathOf(value) })),
      delete: async (client, UserName) => void (await client.query('iam', 'DeleteUser', { UserName })),
    },
    events: {
      CreateUser: ({ path }) => String(path).slice(1, -1),
      UpdateUser: ({ newPath }) => String(newPath).slice(1, -1),
    },
  },
  {
    // The value is the request's token as well, which is in the audit log; what is secret is not.
    name: 'secret',
    calls: {
      read: async (client, SecretId) =>
        (await secrets<{ SecretString: string }>(client, 'GetSecretValue', { SecretId })).SecretString,
      write: async (client, SecretId, value) =>
        void (await secrets(client, 'PutSecretValue', { SecretId, SecretString: value, ClientRequestToken: value })),
      create: async (client, Name, value) =>
        void (await secrets(client, 'CreateSecret', { Name, SecretString: value, ClientRequestToken: value })),
    },
    events: {
      CreateSecret: ({ clientRequestToken }) => clientRequestToken,
      PutSecretValue: ({ clientRequestToken }) => clientRequestToken,
    },
  },
]

/** Refusals that reveal the state of the register. */
export const REFUSALS: Readonly<Record<string, 'exists' | 'missing'>> = {
  EntityAlreadyExists: 'exists',
  ResourceExistsException: 'exists',
  NoSuchEntity: 'missing',
  ResourceNotFoundException: 'missing',
}

/** A node whose clock is far off refuses what was signed by another's: nothing was done, and nothing is learned. */
export const isUntimely = (message: string): boolean => /Signature (expired|not yet current)|too skewed/i.test(message)

/** Unlike every other, and long enough to be a secret's version. */
export const newValue = (round: number, id: Operation['id']): string => `r${round}-n${id}`.padEnd(32, '-')
