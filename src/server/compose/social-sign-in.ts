/**
 * Sign-in at other providers as the operator sets it up: a file, named by `MERLON_SOCIAL_SIGN_IN`, with what is registered
 * at each social provider and at each other OpenID Connect provider, and rules. A rule gives one role to one person; a person without a rule gets nothing.
 *
 * @example
 * {
 *   "providers": {
 *     "google": { "clientId": "…", "clientSecret": "…" },
 *     "corp": { "issuer": "https://login.corp.example", "label": "Corp", "clientId": "…", "clientSecret": "…" }
 *   },
 *   "rules": [{ "provider": "google", "email": "ann@corp.example", "role": "arn:aws:iam::111122223333:role/staff" }]
 * }
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  type Connector,
  type ConnectorId,
  connectorAt,
  connectors,
  type Person,
} from '../../engines/oidc/connectors.ts'
import { authorizationAddress, type ClientSettings } from '../../engines/oidc/sign-in.ts'
import {
  DiscoveredConnectors,
  type IssuerConnector,
  verifiesEmail,
} from '../../kernel/federation/discovered-connectors.ts'
import { RelyingParty } from '../../kernel/federation/relying-party.ts'
import type { FederationHttpPort } from '../../kernel/ports/federation-http.ts'
import type { SocialSignInPort } from '../../kernel/ports/social-sign-in.ts'
import { Fault } from '../../wire/fault.ts'

interface Rule {
  readonly provider: string
  readonly email?: string
  readonly subject?: string
  readonly role: string
}

interface Client {
  /** Endpoints of a provider that is known by its issuer are discovered. */
  readonly connector: Connector | (IssuerConnector & { readonly verifiesEmail: boolean })
  readonly settings: ClientSettings
}

export interface SocialSettings {
  readonly clients: ReadonlyMap<string, Client>
  readonly rules: readonly Rule[]
}

/** Each makes two requests to a provider, of five seconds at most each: callers who are not signed in start them. */
const EXCHANGES_MAX = 32
const ROLE = /^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/
const NAME = /^[a-z][a-z0-9-]{0,31}$/
const LABEL_LENGTH_MAX = 60
/** Letters beyond ASCII can look the same, and equal an ASCII letter in lower case. */
const ASCII_ADDRESS = /^[\x21-\x7e]{3,254}$/

const NONE: SocialSettings = { clients: new Map(), rules: [] }

/** Throws an error with a sentence for the operator, which names the member that is wrong and quotes no secret. */
export function readSocialSettings(file: string | undefined): SocialSettings {
  if (file === undefined || file === '') return NONE
  return parseSocialSettings(readFileSync(file, 'utf8'), (name) => readFileSync(resolve(dirname(file), name), 'utf8'))
}

/** `read` reads a file that the settings name. */
export function parseSocialSettings(text: string, read: (name: string) => string): SocialSettings {
  let settings: unknown
  try {
    settings = JSON.parse(text)
  } catch {
    throw wrong('the file', 'is not JSON')
  }
  const { providers, rules, endpoint } = members(settings, 'the file', ['providers', 'rules', 'endpoint'])
  const base = endpoint === undefined ? undefined : textAt(endpoint, 'endpoint').replace(/\/$/, '')
  const clients = new Map<string, Client>()
  for (const [name, value] of Object.entries(objectAt(providers, 'providers'))) {
    if (!Object.hasOwn(connectors, name)) {
      clients.set(name, issuerAt(name, value))
      continue
    }
    const social = connectors[name as ConnectorId]
    const connector = base === undefined ? social : connectorAt(social, base)
    clients.set(name, { connector, settings: clientAt(value, `providers.${name}`, connector, read) })
  }
  if (!Array.isArray(rules)) throw wrong('rules', 'is not a list')
  return { clients, rules: rules.map((rule, index) => ruleAt(rule, `rules[${index}]`, clients)) }
}

/** A provider that is none of the social ones: known by its issuer, under a name of the operator's choice. */
function issuerAt(name: string, value: unknown): Client {
  const at = `providers.${name}`
  if (!NAME.test(name) || typeof value !== 'object' || value === null || !('issuer' in value))
    throw wrong(
      'providers',
      `has '${name}', which is not one of ${Object.keys(connectors).join(', ')}. Another provider has a name of lower-case letters, digits and hyphens, and 'issuer'`,
    )
  const given = members(value, at, ['issuer', 'label', 'scope', 'clientId', 'clientSecret'])
  const issuer = textAt(given['issuer'], `${at}.issuer`)
  if (!isIssuer(issuer)) throw wrong(`${at}.issuer`, 'is not an https address without a query')
  const label = given['label'] === undefined ? name : textAt(given['label'], `${at}.label`)
  const scope = given['scope'] === undefined ? 'openid email profile' : textAt(given['scope'], `${at}.scope`)
  if (!scope.split(' ').includes('openid')) throw wrong(`${at}.scope`, "does not have 'openid'")
  return {
    connector: {
      id: name,
      label: label.slice(0, LABEL_LENGTH_MAX),
      issuer,
      scope,
      verifiesEmail: verifiesEmail(issuer),
    },
    settings: secretAt(given, at),
  }
}

/** Plain HTTP only on this machine. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text) || /[?#{}@\s]/.test(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))
}

const secretAt = ({ clientId, clientSecret }: Readonly<Record<string, unknown>>, at: string): ClientSettings => ({
  clientId: textAt(clientId, `${at}.clientId`),
  clientSecret: textAt(clientSecret, `${at}.clientSecret`),
})

function clientAt(
  value: unknown,
  at: string,
  { clientAuthentication }: Connector,
  read: (name: string) => string,
): ClientSettings {
  if (clientAuthentication !== 'apple') return secretAt(members(value, at, ['clientId', 'clientSecret']), at)
  const given = members(value, at, ['clientId', 'teamId', 'keyId', 'privateKeyFile'])
  return {
    clientId: textAt(given['clientId'], `${at}.clientId`),
    teamId: textAt(given['teamId'], `${at}.teamId`),
    keyId: textAt(given['keyId'], `${at}.keyId`),
    privateKey: read(textAt(given['privateKeyFile'], `${at}.privateKeyFile`)),
  }
}

function ruleAt(value: unknown, at: string, clients: SocialSettings['clients']): Rule {
  const given = members(value, at, ['provider', 'email', 'subject', 'role'])
  const provider = textAt(given['provider'], `${at}.provider`)
  const client = clients.get(provider)
  if (!client) throw wrong(`${at}.provider`, `names ${provider}, which is not among the providers`)
  const role = textAt(given['role'], `${at}.role`)
  if (!ROLE.test(role)) throw wrong(`${at}.role`, 'is not the ARN of a role')
  const { email, subject } = given
  if ((email === undefined) === (subject === undefined))
    throw wrong(at, "names a person by either 'email' or 'subject'")
  if (subject !== undefined) return { provider, subject: textAt(subject, `${at}.subject`), role }
  const address = textAt(email, `${at}.email`)
  if (!client.connector.verifiesEmail)
    throw wrong(
      `${at}.email`,
      `proves nothing: ${client.connector.label} does not say that it verified it. Use 'subject'`,
    )
  if (!ASCII_ADDRESS.test(address) || !address.includes('@')) throw wrong(`${at}.email`, 'is not an e-mail address')
  return { provider, email: address, role }
}

function objectAt(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw wrong(at, 'is not an object')
}

/** A misspelled member must not silently leave a rule wider, or a provider without its check. */
function members(value: unknown, at: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  const object = objectAt(value, at)
  const unknown = Object.keys(object).find((name) => !known.includes(name))
  if (unknown !== undefined) throw wrong(at, `has the unknown member '${unknown}'; known are ${known.join(', ')}`)
  return object
}

function textAt(value: unknown, at: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw wrong(at, 'is not a text')
}

const wrong = (at: string, what: string): Error => new Error(`MERLON_SOCIAL_SIGN_IN: ${at} ${what}.`)

export function socialSignInPort({ clients, rules }: SocialSettings, http: FederationHttpPort): SocialSignInPort {
  const party = new RelyingParty(http)
  const discovered = new DiscoveredConnectors(http)
  let exchanges = 0
  const clientOf = async (id: string, now: number) => {
    const client = clients.get(id)
    if (!client) throw new Fault('NotFound', 'There is no sign-in with this provider.', { status: 404 })
    const { connector, settings } = client
    return { connector: 'issuer' in connector ? await discovered.of(connector, now) : connector, settings }
  }
  return {
    providers: [...clients.values()].map(({ connector: { id, label } }) => ({ id, label })),
    addressOf: async (pending, now) => {
      const { connector, settings } = await clientOf(pending.connector, now)
      return authorizationAddress(connector, settings, pending)
    },
    finish: async (pending, answer, now) => {
      if (exchanges >= EXCHANGES_MAX)
        throw new Fault('ServiceUnavailable', 'Too many people are signing in. Try again in a moment.', { status: 503 })
      exchanges++
      try {
        const { connector, settings } = await clientOf(pending.connector, now)
        return await party.finish(connector, settings, pending, answer, now)
      } finally {
        exchanges--
      }
    },
    rolesOf: (provider, person) => [
      ...new Set(rules.filter((rule) => rule.provider === provider && isNamed(rule, person)).map(({ role }) => role)),
    ],
  }
}

function isNamed({ email, subject }: Rule, person: Person): boolean {
  if (subject !== undefined) return person.subject === subject
  const { email: proved = '', isEmailVerified } = person
  return isEmailVerified && ASCII_ADDRESS.test(proved) && proved.toLowerCase() === email?.toLowerCase()
}
