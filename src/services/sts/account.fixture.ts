/** An account for STS's tests: the real gate, store, vault and client; only IAM's answers are a table. */
import { STSClient } from '@aws-sdk/client-sts'
import { throughGate } from '../../../test/through-gate.ts'
import { Gate, type RequestOutcome } from '../../kernel/gate/gate.ts'
import type { Subject } from '../../kernel/gate/session.ts'
import { noPorts, standaloneAccounts } from '../../kernel/ports/ports.fixture.ts'
import type { AssumableRole, Identity, IdentityPort, LongTermKey } from '../../kernel/ports/ports.ts'
import { accessKeyId, secretAccessKey } from '../../kernel/service/id.ts'
import { MovableClock } from '../../kernel/state/clock.ts'
import { type CompiledPolicy, compilePolicy, compileSet, type PolicyKind, parsePolicy } from '../../policy/index.ts'
import type { Principal } from '../../policy/principal.ts'
import { openStore } from '../../store/sqlite.ts'
import { ephemeralVault } from '../../vault/ephemeral.ts'
import { sts } from './index.ts'

export const ACCOUNT = '111122223333'
export const OTHER_ACCOUNT = '444455556666'
export const MFA_CODE = '123456'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

type Statements = readonly Readonly<Record<string, unknown>>[]

export interface RoleOptions {
  readonly trust: Statements
  readonly policy?: Statements
  readonly maxSessionSeconds?: number
  readonly tags?: Readonly<Record<string, string>>
}

export async function account() {
  const store = await openStore({ file: ':memory:' })
  const vault = await ephemeralVault()
  const clock = new MovableClock()
  const keys = new Map<string, LongTermKey>()
  const identities = new Map<string, Identity>()
  const roles = new Map<string, AssumableRole>()
  const managed = new Map<string, CompiledPolicy>()
  const answers: RequestOutcome[] = []

  const identity = async (number: string, subject: Subject): Promise<Identity | undefined> => {
    if (subject.kind === 'root')
      return stands({ kind: 'root', account: number, arn: `arn:aws:iam::${number}:root`, userId: number, tags: {} })
    if (subject.kind === 'nobody') return undefined
    if (subject.kind === 'user') return identities.get(subject.id)
    if (subject.kind === 'federated-user') {
      const issuer = await identity(number, subject.issuer)
      if (!issuer || !('arn' in issuer.principal)) return undefined
      const { arn: issuerArn, userId: issuerId } = issuer.principal
      const arn = `arn:aws:sts::${number}:federated-user/${subject.name}`
      return {
        ...issuer,
        principal: {
          kind: 'federated-user',
          account: number,
          arn,
          userId: `${number}:${subject.name}`,
          name: subject.name,
          issuerArn,
          issuerId,
          tags: {},
        },
      }
    }
    const found = identities.get(subject.id)
    if (found?.principal.kind !== 'role-session') return undefined
    const { principal } = found
    const { sessionName } = subject
    return {
      ...found,
      principal: {
        ...principal,
        arn: principal.arn + sessionName,
        userId: principal.userId + sessionName,
        sessionName,
      },
    }
  }
  const port: IdentityPort = {
    identity,
    accessKey: async (id) => keys.get(id),
    role: async (_reader, arn) => roles.get(arn),
    samlProvider: async () => undefined,
    samlProviderArn: async () => undefined,
    rootFeatures: async () => [],
    tokenIssuer: async () => undefined,
    oidcProvider: async () => undefined,
    exists: async () => undefined,
    pin: async () => undefined,
    unpin: async (_reader, arn) => arn,
    managedPolicy: async (_reader, arn) => managed.get(arn),
    verifyMfa: async ({ account: number, caller: { subject } }, serial, code) =>
      subject.kind === 'user' && serial === `arn:aws:iam::${number}:mfa/${subject.name}` && code === MFA_CODE
        ? { outcome: 'correct', value: true }
        : { outcome: 'wrong' },
    used: () => undefined,
  }
  const gate = new Gate({
    store,
    vault,
    clock,
    ports: { ...standaloneAccounts, identity: port, events: { query: (query) => store.log(query) } },
    use: noPorts,
    services: [sts],
    quotas: {},
    observe: (answer) => void answers.push(answer),
  })

  const key = (number: string, subject: Subject): Keys => {
    const made = { accessKeyId: accessKeyId('AKIA', number), secretAccessKey: secretAccessKey() }
    keys.set(made.accessKeyId, { account: number, subject, active: true, secret: made.secretAccessKey })
    return made
  }

  return {
    store,
    clock,
    answers,
    root: (number = ACCOUNT) => key(number, { kind: 'root' }),

    user(name: string, policy: Statements = [], number = ACCOUNT): Keys {
      const id = `AIDA${name.toUpperCase().padEnd(17, 'A')}`
      const principal: Principal = {
        kind: 'user',
        account: number,
        arn: `arn:aws:iam::${number}:user/${name}`,
        userId: id,
        name,
        tags: {},
      }
      identities.set(id, stands(principal, policy))
      return key(number, { kind: 'user', name, id })
    },

    /** Returns its ARN. */
    role(name: string, options: RoleOptions, number = ACCOUNT): string {
      const id = `AROA${name.toUpperCase().padEnd(17, 'A')}`
      const arn = `arn:aws:iam::${number}:role/${name}`
      const { trust, policy = [], maxSessionSeconds = 3600, tags = {} } = options
      roles.set(arn, { account: number, name, id, arn, trust: compiled(trust, 'trust'), maxSessionSeconds, tags })
      identities.set(
        id,
        stands(
          {
            kind: 'role-session',
            account: number,
            arn: `arn:aws:sts::${number}:assumed-role/${name}/`,
            userId: `${id}:`,
            tags,
            roleArn: arn,
            roleId: id,
            roleName: name,
            sessionName: '',
            serviceLinked: false,
          },
          policy,
        ),
      )
      return arn
    },

    managed(arn: string, policy: Statements): void {
      managed.set(arn, compiled(policy, 'session'))
    },
    deactivate(id: string): void {
      keys.set(id, { ...keys.get(id)!, active: false })
    },

    /** The official client, speaking to the gate as over a socket. */
    as: (credentials: Keys): STSClient =>
      new STSClient({
        region: 'us-east-1',
        credentials,
        endpoint: 'http://localhost',
        maxAttempts: 1,
        systemClockOffset: clock.now() - Date.now(),
        requestHandler: throughGate(gate),
      }),
  }
}

/** Keys from an answer. */
export function keysOf(answer: {
  Credentials?:
    | { AccessKeyId: string | undefined; SecretAccessKey: string | undefined; SessionToken: string | undefined }
    | undefined
}): Keys {
  const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials!
  return { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! }
}

function stands(principal: Principal, policy: Statements = []): Identity {
  return { principal, policies: compileSet([compiled(policy, 'identity')]), createdAt: 0 }
}

function compiled(statements: Statements, kind: PolicyKind): CompiledPolicy {
  const source = { id: kind, kind }
  if (statements.length === 0)
    return { source, policy: { kind, version: '2012-10-17', id: undefined, statements: [] }, statements: [] }
  const full = statements.map((statement) => ({ Effect: 'Allow', ...statement }))
  return compilePolicy(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: full }), kind), source)
}
