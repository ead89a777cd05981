/**
 * The registered part of a domain name, by the Public Suffix List as it was when tldts was released.
 * Source: https://publicsuffix.org/list/
 */
import { getDomain } from 'tldts'

const NAME_ONLY = { extractHostname: false, validateHostname: false, detectIp: false, mixedInputs: false } as const

/** What a registry sold: `a.b.example.co.uk` → `example.co.uk`. A public suffix is returned as it is. */
export const registeredDomain = (name: string): string => getDomain(name, NAME_ONLY) ?? name

/** What one owner has, also below a suffix that a company offers to its customers: `a.ana.github.io` → `ana.github.io`. */
export const ownedDomain = (name: string): string =>
  getDomain(name, { ...NAME_ONLY, allowPrivateDomains: true }) ?? name
