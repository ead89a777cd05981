/** `--wrapping-keys`: a keyring from arguments such as `key=ARN`, `discovery=true` or `provider=raw-aes`. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  cacheClients,
  type Keyring,
  KmsKeyring,
  KmsMrkAwareSymmetricDiscoveryKeyring,
  KmsMrkAwareSymmetricKeyring,
  MultiKeyring,
  type OaepHash,
  Pkcs11Keyring,
  RawAesKeyring,
  RawRsaKeyring,
} from '../../encryption-sdk/index.ts'
import { clientFor } from '../client.ts'
import { UsageError } from '../command.ts'
import { kmsOver } from './kms.ts'
import { pairsOf } from './words.ts'

const NAMES = [
  'key',
  'provider',
  'region',
  'profile',
  'discovery',
  'discovery-account',
  'discovery-partition',
  'namespace',
  'file',
  'hash',
  'module',
  'token',
  'id',
] as const
type Name = (typeof NAMES)[number]

/** The values of each name. */
type Settings = (name: Name) => readonly string[]

interface Place {
  readonly endpoint?: string | undefined
  readonly profile?: string | undefined
  readonly region?: string | undefined
}

/** The first key of the first group makes the data key. Throws a `UsageError`. */
export function keyringOf(groups: readonly (readonly string[])[], place: Place): Keyring {
  const keyrings = groups.flatMap((words) => {
    const pairs = pairsOf(words, 'wrapping-keys', NAMES)
    return keyringsOf((name) => pairs.filter(([found]) => found === name).map(([, value]) => value), place)
  })
  const [generator, ...children] = keyrings
  if (!generator) throw new UsageError('Missing keys: --wrapping-keys key=ARN, or discovery=true to decrypt.')
  return children.length === 0 ? generator : new MultiKeyring({ generator, children })
}

const PROVIDERS: Readonly<Record<string, (settings: Settings, place: Place) => readonly Keyring[]>> = {
  'aws-kms': kmsKeyrings,
  'raw-aes': (settings) =>
    settings('key').map(
      (keyName) => new RawAesKeyring({ ...names(settings, keyName), key: aesKey(single(settings, 'file')) }),
    ),
  'raw-rsa': (settings) =>
    settings('key').map(
      (keyName) =>
        new RawRsaKeyring({
          ...names(settings, keyName),
          ...rsaKey(single(settings, 'file')),
          oaepHash: hashOf(settings, 'sha256'),
        }),
    ),
  pkcs11: (settings) =>
    settings('key').map((keyName) => new Pkcs11Keyring({ ...names(settings, keyName), ...token(settings) })),
}

function keyringsOf(settings: Settings, place: Place): readonly Keyring[] {
  const provider = optional(settings, 'provider') ?? 'aws-kms'
  const make = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : undefined
  if (!make)
    throw new UsageError(`There is no provider '${provider}'. There are: ${Object.keys(PROVIDERS).join(', ')}.`)
  const made = make(settings, place)
  if (made.length === 0) throw new UsageError('--wrapping-keys needs key=… at least once.')
  return made
}

function kmsKeyrings(settings: Settings, place: Place): readonly Keyring[] {
  const region = optional(settings, 'region')
  const profile = optional(settings, 'profile') ?? place.profile
  const clientProvider = cacheClients((of: string) =>
    kmsOver(clientFor({ ...place, profile, region: of || place.region })),
  )
  const keys = settings('key')
  if (optional(settings, 'discovery') !== 'true')
    return keys.map(
      (keyId) =>
        new KmsMrkAwareSymmetricKeyring({
          keyId,
          client: clientProvider(/^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1] ?? region ?? '')!,
        }),
    )
  if (keys.length > 0) throw new UsageError('--wrapping-keys has either key=… or discovery=true.')
  const [accountIDs, partition] = [settings('discovery-account'), optional(settings, 'discovery-partition')]
  if (accountIDs.length === 0 && partition !== undefined)
    throw new UsageError('discovery-partition needs discovery-account.')
  const filter = accountIDs.length > 0 && { discoveryFilter: { partition: partition ?? 'aws', accountIDs } }
  return region === undefined
    ? [new KmsKeyring({ discovery: true, clientProvider, ...filter })]
    : [new KmsMrkAwareSymmetricDiscoveryKeyring({ client: clientProvider(region)!, region, ...filter })]
}

const names = (settings: Settings, keyName: string) => ({ keyNamespace: single(settings, 'namespace'), keyName })

const PIN_VARIABLE = 'MERLON_PKCS11_PIN'

function token(settings: Settings) {
  const pin = process.env[PIN_VARIABLE]
  if (!pin) throw new UsageError(`The PIN of the token is read from the environment: ${PIN_VARIABLE}.`)
  return {
    module: single(settings, 'module'),
    tokenLabel: single(settings, 'token'),
    keyId: single(settings, 'id'),
    pin,
    oaepHash: hashOf(settings, 'sha1'),
  }
}

/** 16, 24 or 32 bytes, or the same in base64. */
function aesKey(file: string): Buffer {
  const bytes = readFileSync(file)
  return [16, 24, 32].includes(bytes.length) ? bytes : Buffer.from(bytes.toString('latin1').trim(), 'base64')
}

/** A private key decrypts and encrypts, a public one encrypts. */
function rsaKey(file: string) {
  const pem = readFileSync(file)
  try {
    return { privateKey: createPrivateKey(pem) }
  } catch {
    return { publicKey: createPublicKey(pem) }
  }
}

const hashOf = (settings: Settings, otherwise: OaepHash) => (optional(settings, 'hash') ?? otherwise) as OaepHash

function optional(settings: Settings, name: Name): string | undefined {
  const values = settings(name)
  if (values.length > 1) throw new UsageError(`--wrapping-keys has ${name} twice.`)
  return values[0]
}

function single(settings: Settings, name: Name): string {
  const value = optional(settings, name)
  if (value === undefined) throw new UsageError(`--wrapping-keys needs ${name}=… for this provider.`)
  return value
}
