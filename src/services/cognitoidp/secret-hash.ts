/** SECRET_HASH: the proof that a request comes from an app client with a secret. */
import { createHmac } from 'node:crypto'
import type { Vault } from '../../vault/vault.ts'
import { isSame } from './codes.ts'
import { type ClientRow, notAuthorized, sealedAt } from './resources.ts'

export const secretPlace = (client: ClientRow, id: string) =>
  sealedAt(client, 'client-secret', `${client.pool}/${client.id}/${id}`)

export const secretsOf = (vault: Pick<Vault, 'open'>, client: ClientRow): readonly string[] =>
  client.secrets.map(({ id, sealed }) => vault.open(secretPlace(client, id), sealed).toString('utf8'))

/** Base64 of HMAC-SHA-256 under the secret over the name and the client's ID. */
export const secretHash = (secret: string, name: string, clientId: string): string =>
  createHmac('sha256', secret).update(name).update(clientId).digest('base64')

/** Throws unless the hash is right for one of the names. A client without a secret needs none. */
export function checkSecretHash(
  vault: Pick<Vault, 'open'>,
  client: ClientRow,
  given: string | undefined,
  names: readonly string[],
): void {
  if (client.secrets.length === 0) {
    if (given !== undefined)
      throw notAuthorized(`Client ${client.id} is not configured with a secret but secret hash was received`)
    return
  }
  if (given === undefined)
    throw notAuthorized(`Client ${client.id} is configured with secret but SECRET_HASH was not received`)
  const right = secretsOf(vault, client).flatMap((secret) => names.map((name) => secretHash(secret, name, client.id)))
  if (!right.some((each) => isSame(each, given)))
    throw notAuthorized(`SecretHash does not match for the client: ${client.id}`)
}

/** Throws unless the secret itself is one of the client's. */
export function checkClientSecret(vault: Pick<Vault, 'open'>, client: ClientRow, given: string | undefined): void {
  if (client.secrets.length === 0) return
  if (given === undefined || !secretsOf(vault, client).some((secret) => isSame(secret, given)))
    throw notAuthorized('Client secret does not match.')
}
