/** Names of certificates: which ones can be requested, and the record that proves one. */
import type { Scope } from '../../kernel/gate/call.ts'
import { lengths } from '../../vault/aead.ts'
import type { Vault } from '../../vault/vault.ts'
import { acm } from './resources.ts'

/** Of a common name (RFC 5280, upper bound `ub-common-name`). */
export const DOMAIN_LENGTH_MAX = 64
const NAME_LENGTH_MAX = 253
const NAME = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** In lower case, without a last dot. Throws for what is no host name with at least two labels, one of which may be `*`. */
export function readName(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.length > NAME_LENGTH_MAX || !NAME.test(name))
    throw acm.fail('InvalidParameterException', `Domain name ${JSON.stringify(text)} is not valid.`)
  return name
}

/** The domain whose control proves the name: a wildcard's is the one below the asterisk. */
export const baseOf = (name: string): string => name.replace(/^\*\./, '')

export const isSameOrAbove = (above: string, name: string): boolean => name === above || name.endsWith(`.${above}`)

/**
 * The record that proves a domain. It depends on the account, the Region and the domain alone, so that it serves every
 * certificate and every renewal, and the apex proves its wildcard.
 */
export function validationRecord(
  vault: Pick<Vault, 'mac'>,
  { account, region }: Pick<Scope, 'account' | 'region'>,
  base: string,
): { readonly name: string; readonly value: string } {
  const digest = (part: string) =>
    vault.mac('authorization-message', lengths('acm/validation', part, account, region, base))
  const name = digest('name').toString('hex').slice(0, 32)
  const value = digest('value')
  const letters = [...digest('zone').subarray(0, 10)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('')
  return {
    name: `_${name}.${base}.`,
    value: `_${value.toString('hex').slice(0, 32)}.${letters}.acm-validations.aws.`,
  }
}

/** Mailboxes that the administrator of a domain reads (RFC 2142, CA/Browser Forum BR 3.2.2.4.4). */
const MAILBOXES = ['admin', 'administrator', 'hostmaster', 'postmaster', 'webmaster']
export const mailboxesOf = (domain: string): readonly string[] => MAILBOXES.map((name) => `${name}@${domain}`)
