/**
 * The identity store port: directories of people and groups, provided by the identity store and used by IAM Identity Center,
 * its portal and its sign-in. Passwords and codes pass through and are recorded nowhere.
 *
 * @example
 * const person = await use(identityStore).userByName(unit, storeId, 'ada')
 * const groups = await use(identityStore).groupsOf(unit, storeId, person.id)
 */
import type { Unit } from '../../store/store.ts'
import type { Call } from '../gate/call.ts'
import type { CheckSecret, SecretCheck } from '../state/failure-budget.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface NewIdentityStore {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly instanceArn: string
  readonly now: number
}

/** A directory: whose account it is, and where. */
export interface IdentityStoreFacts {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly instanceArn: string
}

/** A person of a directory. */
export interface StoreUser {
  readonly id: string
  readonly storeId: string
  readonly userName: string
  readonly displayName: string | undefined
  readonly email: string | undefined
  readonly isEnabled: boolean
  /** Names this person's sign-ins: see `kernel/state/sign-in-sessions.ts`. */
  readonly signInPerson: string
  /** IDs of other systems. `Issuer`: a directory, or `SCIM`. */
  readonly externalIds: readonly { readonly Issuer: string; readonly Id: string }[]
  /** What `${path:…}` names in attributes for access control and in attribute maps: `userName`, `name.givenName`. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface StoreGroup {
  readonly id: string
  readonly displayName: string
}

export interface StoreMfaDevice {
  readonly id: string
  readonly name: string
  readonly kind: 'totp' | 'passkey'
  /** Epoch milliseconds. */
  readonly addedAt: number
}

/** A public key that an authenticator made: WebAuthn, "credential record". */
export interface StorePasskey {
  readonly id: string
  readonly name: string
  /** base64url */
  readonly credentialId: string
  /** COSE, base64url. */
  readonly publicKey: string
  readonly counter: number
  readonly transports: readonly string[]
}

export interface StorePasswordState {
  readonly mustChange: boolean
  /** Epoch milliseconds. */
  readonly changedAt: number
}

/** How the last synchronization with a directory ended. */
export interface SyncStatus {
  /** Epoch milliseconds. */
  readonly endedAt: number
  /** `running`: the first of several turns has ended. */
  readonly outcome: 'succeeded' | 'failed' | 'running'
  readonly reason?: string
  /** Epoch milliseconds. */
  readonly succeededAt?: number | undefined
  /** What the directory listed. */
  readonly people?: number
  readonly groups?: number
  /** Names that another user or group of the store has, or that are beyond the quota: the first ten. */
  readonly skipped?: readonly string[]
  readonly skippedCount?: number
}

/** What checks of secrets need of a route's call. */
export type StoreSecretCaller = Pick<Call, 'unit' | 'now' | 'vault'> & { readonly checkSecret: CheckSecret }

export interface IdentityStorePort {
  create(unit: Unit, store: NewIdentityStore): void
  /** Deletes the directory with all its users and groups, and ends their sign-ins. */
  remove(unit: Unit, storeId: string): Promise<void>
  find(reader: Reader, storeId: string): Promise<IdentityStoreFacts | undefined>
  user(reader: Reader, storeId: string, userId: string): Promise<StoreUser | undefined>
  /** In any case of letters. */
  userByName(reader: Reader, storeId: string, userName: string): Promise<StoreUser | undefined>
  /** By one attribute that is unique: `userName`, `emails.value` or `externalId`. */
  userByAttribute(reader: Reader, storeId: string, path: string, value: string): Promise<StoreUser | undefined>
  /** By the ID that an issuer gives the person: a directory, or `SCIM`. */
  userByExternalId(reader: Reader, storeId: string, issuer: string, id: string): Promise<StoreUser | undefined>
  group(reader: Reader, storeId: string, groupId: string): Promise<StoreGroup | undefined>
  /** IDs of the groups that a person is a member of. */
  groupsOf(reader: Reader, storeId: string, userId: string): Promise<readonly string[]>
  /**
   * Checks a password within the failure budget of the person. An unknown person, or one without a password, costs the
   * same time, has the same budget under the claimed name, and is answered `wrong`.
   */
  checkPassword(
    call: StoreSecretCaller,
    store: IdentityStoreFacts,
    user: StoreUser | undefined,
    claimedName: string,
    password: string,
  ): Promise<SecretCheck<StorePasswordState>>
  passwordState(reader: Reader, user: StoreUser): Promise<StorePasswordState | undefined>
  /** Sets a password and ends every sign-in of the person. Returns what is wrong with it, in a sentence; nothing is set then. */
  setPassword(
    call: Pick<Call, 'unit' | 'now'>,
    user: StoreUser,
    password: string,
    options: { readonly isOneTime: boolean },
  ): Promise<string | undefined>
  devices(reader: Reader, user: StoreUser): Promise<readonly StoreMfaDevice[]>
  passkeys(reader: Reader, user: StoreUser): Promise<readonly StorePasskey[]>
  /** Seals the seed of an authenticator app. Returns what is wrong, in a sentence: too many devices. */
  addTotp(
    call: Pick<Call, 'unit' | 'now' | 'vault'>,
    store: IdentityStoreFacts,
    user: StoreUser,
    device: { readonly name: string; readonly seed: Uint8Array; readonly spentStep: number; readonly drift: number },
  ): Promise<string | undefined>
  addPasskey(
    call: Pick<Call, 'unit' | 'now'>,
    user: StoreUser,
    passkey: Omit<StorePasskey, 'id'>,
  ): Promise<string | undefined>
  /** Checks a code of one of the person's authenticator apps within their failure budget, and spends it. */
  checkCode(
    call: StoreSecretCaller,
    store: IdentityStoreFacts,
    user: StoreUser,
    deviceId: string,
    code: string,
  ): Promise<SecretCheck<true>>
  /** Records the authenticator's counter after a sign-in. */
  recordPasskeyUse(call: Pick<Call, 'unit'>, user: StoreUser, passkey: StorePasskey, counter: number): void
  removeDevice(call: Pick<Call, 'unit'>, user: StoreUser, deviceId: string): Promise<void>
  /** Disables a person whom the identity source does not know any more, and ends every sign-in. */
  disable(
    unit: Unit,
    storeId: string,
    userId: string,
    by: { readonly issuer: string; readonly now: number },
  ): Promise<void>
  /** Synchronizes the store with its directory now, instead of when the next turn is due. */
  scheduleSync(
    unit: Unit,
    store: Pick<IdentityStoreFacts, 'id' | 'account'>,
    options: { readonly now: number; readonly isDeletionAllowed?: boolean },
  ): Promise<void>
  /** undefined where no directory is synchronized, or the first turn has not ended. */
  syncStatus(reader: Reader, storeId: string): Promise<SyncStatus | undefined>
  /** A token for SCIM, shown this once; undefined where the directory has two already. */
  createScimToken(
    unit: Unit,
    storeId: string,
    now: number,
  ): Promise<{ readonly id: string; readonly token: string; readonly expiresAt: number } | undefined>
  /** Without their secrets; expired ones, too, until the next one is created. */
  scimTokens(
    reader: Reader,
    storeId: string,
  ): Promise<readonly { readonly id: string; readonly createdAt: number; readonly expiresAt: number }[]>
  /** Returns whether there was such a token. It ends at once. */
  deleteScimToken(unit: Unit, storeId: string, tokenId: string): Promise<boolean>
}

export const identityStore = port<IdentityStorePort>('identity-store')
