/** What IAM offers the kernel and the other services: the identity behind a key, and the policies that apply to it. */
import type { Subject } from '../../kernel/gate/session.ts'
import type { AssumableRole, Identity, IdentityPort, LongTermKey } from '../../kernel/ports/ports.ts'
import type { Clock } from '../../kernel/state/clock.ts'
import { DerivedCache } from '../../kernel/state/derived.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type CompiledPolicy, compilePolicy, compileSet, readPolicy } from '../../policy/index.ts'
import type { Store } from '../../store/store.ts'
import { TrustError, type Vault } from '../../vault/vault.ts'
import { type AccountRow, accountKey } from './account/bootstrap.ts'
import { rootFeatures } from './account/root-features.ts'
import { type AccessKeyRow, accessKeyKey, openSecret, placeOf } from './credentials/access-keys.ts'
import { Uses } from './credentials/last-used.ts'
import { verifyMfa } from './credentials/mfa.ts'
import { exists } from './existence.ts'
import { findManagedPolicy } from './policies/policies.ts'
import { oidcProvider } from './providers/oidc-providers.ts'
import { tokenIssuer } from './providers/outbound-federation.ts'
import { samlProvider, samlProviderArn, trustedIdp } from './providers/saml-providers.ts'
import { group, type IamIdentity, type RoleRow, role, rowWritten, user, userIdKey } from './resources.ts'
import { arnNow, compileTrust, idBehind } from './roles/trust.ts'

export interface IamPort extends IdentityPort {
  /** Writes down which keys and roles were used; also done every half minute. */
  flushUses(): Promise<void>
  close(): Promise<void>
}

export function identityPort(store: Store, vault: Vault, clock: Clock): IamPort {
  const policies = new DerivedCache<CompiledPolicy | undefined>(store, async (reader, argument) => {
    const [account, arn] = JSON.parse(argument) as [string, string]
    const found = await findManagedPolicy(reader, arn, account)
    return (
      found &&
      compilePolicy(readPolicy(found.text, 'identity'), {
        id: found.arn,
        arn: found.arn,
        name: found.name,
        kind: 'identity',
      })
    )
  })
  const managed = (account: string, arn: string) => policies.get(JSON.stringify([account, arn]))

  /** Records the documents a compiled managed policy came from, so that the cache is dropped when they change. */
  const managedThrough = async (reader: Reader, account: string, arn: string) => {
    await findManagedPolicy(reader, arn, account)
    return managed(account, arn)
  }

  const compiledOf = async (reader: Reader, account: string, holder: IamIdentity): Promise<CompiledPolicy[]> => {
    const attached = await Promise.all(holder.attached.map((arn) => managedThrough(reader, account, arn)))
    const inline = Object.entries(holder.inline).map(([name, text]) =>
      compilePolicy(readPolicy(text, 'identity'), { id: name, name, kind: 'identity' }),
    )
    return [...attached.filter((policy) => policy !== undefined), ...inline]
  }

  const boundaryOf = async (reader: Reader, account: string, holder: IamIdentity) => {
    if (!holder.boundary) return {}
    const boundary = await managedThrough(reader, account, holder.boundary)
    // A boundary whose policy is gone bounds everything.
    return { boundary: boundary ?? compileNothing() }
  }

  const users = new DerivedCache<Identity | undefined>(store, async (reader, argument) => {
    const [account, id] = JSON.parse(argument) as [string, string]
    const named = await reader.get<{ name: string }>(userIdKey(account, id))
    const row = named && (await user.get(reader, { ...scope, account }, named))
    if (!row || row.id !== id) return undefined
    const groups = await Promise.all(row.groups.map((name) => group.get(reader, { ...scope, account }, { name })))
    const holders = [row, ...groups.filter((each) => each !== undefined)]
    const compiled = await Promise.all(holders.map((holder) => compiledOf(reader, account, holder)))
    return {
      principal: {
        kind: 'user',
        account,
        arn: user.arnOf({ ...scope, account }, row),
        userId: row.id,
        name: row.name,
        tags: row.tags ?? {},
      },
      policies: compileSet(compiled.flat()),
      ...(await boundaryOf(reader, account, row)),
      createdAt: row.createdAt,
    }
  })

  const roles = new DerivedCache<{ identity: Identity; row: RoleRow } | undefined>(store, async (reader, argument) => {
    const [account, name, id] = JSON.parse(argument) as [string, string, string]
    const row = await role.get(reader, { ...scope, account }, { name })
    if (!row || row.id !== id) return undefined
    const roleArn = role.arnOf({ ...scope, account }, row)
    const identity: Identity = {
      principal: {
        kind: 'role-session',
        account,
        arn: `arn:aws:sts::${account}:assumed-role/${row.name}/`,
        userId: `${row.id}:`,
        tags: row.tags ?? {},
        roleArn,
        roleId: row.id,
        roleName: row.name,
        sessionName: '',
        serviceLinked: row.linkedService !== undefined,
      },
      policies: compileSet(await compiledOf(reader, account, row)),
      ...(await boundaryOf(reader, account, row)),
      createdAt: row.createdAt,
    }
    return { identity, row }
  })

  const roots = new DerivedCache<Identity | undefined>(store, async (reader, account) => {
    const row = await reader.get<AccountRow>(accountKey(account))
    return (
      row && {
        principal: { kind: 'root', account, arn: `arn:aws:iam::${account}:root`, userId: account, tags: {} },
        policies: compileSet([]),
        createdAt: row.createdAt,
      }
    )
  })

  const open = new DerivedCache<boolean>(store, (reader, account) => isOpen(reader, account))

  const keys = new DerivedCache<LongTermKey | undefined>(store, async (reader, id) => {
    const row = await reader.get<AccessKeyRow>(accessKeyKey(id))
    if (!row) return undefined
    // A row stored in the place of another one is not a valid key.
    if (row.id !== id) throw vault.reportTampering(placeOf(row.account, id))
    const named =
      row.ownerId === row.account ? undefined : await reader.get<{ name: string }>(userIdKey(row.account, row.ownerId))
    const subject: Subject = named ? { kind: 'user', id: row.ownerId, name: named.name } : { kind: 'root' }
    if (subject.kind === 'root' && row.ownerId !== row.account) return undefined
    try {
      return { account: row.account, subject, active: row.active, secret: openSecret(vault, row) }
    } catch (error) {
      // A key whose account's own key was destroyed cannot sign.
      if (error instanceof TrustError && error.code === 'MERLON_ACCOUNT_ERASED') return undefined
      throw error
    }
  })

  const identity = async (account: string, subject: Subject): Promise<Identity | undefined> => {
    if (!(await open.get(account))) return undefined
    switch (subject.kind) {
      case 'nobody':
        return undefined
      case 'root':
        return roots.get(account)
      case 'user':
        return users.get(JSON.stringify([account, subject.id]))
      case 'role': {
        const found = await roles.get(JSON.stringify([account, subject.name, subject.id]))
        const principal = found?.identity.principal
        if (!found || principal?.kind !== 'role-session') return undefined
        const { sessionName } = subject
        return {
          ...found.identity,
          principal: {
            ...principal,
            arn: principal.arn + sessionName,
            userId: principal.userId + sessionName,
            sessionName,
          },
        }
      }
      case 'federated-user': {
        const issuer = await identity(account, subject.issuer)
        if (!issuer || !('arn' in issuer.principal)) return undefined
        return {
          ...issuer,
          principal: {
            kind: 'federated-user',
            account,
            arn: `arn:aws:sts::${account}:federated-user/${subject.name}`,
            userId: `${account}:${subject.name}`,
            name: subject.name,
            issuerArn: issuer.principal.arn,
            issuerId: issuer.principal.userId,
            tags: {},
          },
        }
      }
    }
  }

  const uses = new Uses(store, clock)
  return {
    accessKey: (id) => keys.get(id),
    identity,
    role: async (reader, arn): Promise<AssumableRole | undefined> => {
      const account = role.form.parse(arn)?.account
      const row = await rowWritten(reader, role, arn)
      if (!row || account === undefined || !(await isOpen(reader, account))) return undefined
      return {
        account,
        name: row.name,
        id: row.id,
        arn,
        trust: await compileTrust(reader, row),
        maxSessionSeconds: row.maxSessionSeconds,
        tags: row.tags ?? {},
      }
    },
    oidcProvider: async (reader, account, issuer) => {
      const at = { ...scope, account }
      const row = await oidcProvider.get(reader, at, { OidcProviderName: issuer })
      if (!row) return undefined
      const { clientIds, thumbprints, tags = {} } = row
      return { arn: oidcProvider.arnOf(at, row), clientIds, thumbprints, tags }
    },
    samlProvider: async (reader, arn) => {
      const parsed = samlProvider.form.parse(arn)
      const at = { ...scope, account: parsed?.account ?? '' }
      const row = parsed && (await samlProvider.get(reader, at, parsed.variables))
      return row && trustedIdp(vault, at, row)
    },
    samlProviderArn: (reader, uuid) => samlProviderArn(reader, uuid),
    rootFeatures,
    tokenIssuer: (reader, account) => tokenIssuer(reader, vault.materials, account),
    pin: idBehind,
    exists,
    unpin: async (reader, arn, id) => (await arnNow(reader, arn, id)) ?? id,
    managedPolicy: async (reader, arn, account) => managedThrough(reader, account, arn),
    verifyMfa: (call, serial, code) => verifyMfa(call, store.reader, vault, serial, code),
    used: (used) => uses.note(used),
    flushUses: () => uses.flush(),
    close: () => uses.close(),
  }
}

async function isOpen(reader: Reader, account: string): Promise<boolean> {
  const row = await reader.get<AccountRow>(accountKey(account))
  return row !== undefined && row.closedAt === undefined
}

const scope = { partition: 'aws', region: '', account: '' }

function compileNothing(): CompiledPolicy {
  const text = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
  return compilePolicy(readPolicy(text, 'boundary'), { id: 'missing-boundary', kind: 'boundary' })
}
