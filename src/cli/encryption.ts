/** `merlon encrypt` and `merlon decrypt`: files and pipes, with the options of the AWS Encryption CLI. */
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CachingMaterialsManager,
  CommitmentPolicy,
  type CryptographicMaterialsManager,
  type Keyring,
  LocalCryptographicMaterialsCache,
  type MessageInfo,
  RequiredEncryptionContextMaterialsManager,
  type SuiteName,
} from '../encryption-sdk/index.ts'
import { clientOptions } from './client.ts'
import { type Command, UsageError } from './command.ts'
import { base64Decoder, base64Encoder } from './encryption/base64.ts'
import { STANDARD, tasksOf } from './encryption/files.ts'
import { inspect } from './encryption/inspect.ts'
import { keyringOf } from './encryption/keyrings.ts'
import { type Job, runJob } from './encryption/run.ts'
import { groupsOf, listOf, normalizedWords, pairsOf, wholeNumber } from './encryption/words.ts'
import { type ParsedOptions, parseSubcommand, required } from './subcommand.ts'

const common = {
  input: { type: 'string', value: 'PATH', about: '-i: a file, a directory, or - for standard input' },
  output: { type: 'string', value: 'PATH', about: '-o: a file, a directory, or - for standard output' },
  'wrapping-keys': {
    type: 'string',
    value: 'NAME=VALUE …',
    multiple: true,
    about: '-w: key=ARN, or provider=raw-aes namespace=… key=NAME file=FILE; docs/encryption-sdk.md has all',
  },
  'encryption-context': {
    type: 'string',
    value: 'KEY=VALUE …',
    multiple: true,
    about: '-c: not secret, bound to the message',
  },
  'required-encryption-context-keys': {
    type: 'string',
    value: 'KEY …',
    multiple: true,
    about: 'keys of the context that messages do not store: the reader must know their values',
  },
  'commitment-policy': { type: 'string', value: 'POLICY', about: 'default: require-encrypt-require-decrypt' },
  'max-encrypted-data-keys': { type: 'string', value: 'N', about: 'of a message (default: 100)' },
  caching: {
    type: 'string',
    value: 'NAME=VALUE …',
    multiple: true,
    about: 'capacity=N max_age=SECONDS [max_messages_encrypted=N] [max_bytes_encrypted=N]',
  },
  recursive: { type: 'boolean', about: '-r: all files of a directory' },
  suffix: {
    type: 'string',
    value: 'TEXT',
    about: 'of files written to a directory (default: .encrypted or .decrypted)',
  },
  encode: { type: 'boolean', about: 'write base64' },
  decode: { type: 'boolean', about: 'read base64' },
  buffer: { type: 'boolean', about: 'write to standard output only once all is done' },
  interactive: { type: 'boolean', about: 'confirm before a file is overwritten' },
  'no-overwrite': { type: 'boolean', about: 'overwrite no file' },
  'metadata-output': { type: 'string', value: 'FILE', about: 'append what was done, a JSON object a line' },
  'overwrite-metadata': { type: 'boolean', about: 'begin the file of --metadata-output anew' },
  'suppress-metadata': { type: 'boolean', about: '-S: write no metadata (the default)' },
  ...clientOptions,
} as const

const encryptOptions = {
  ...common,
  algorithm: { type: 'string', value: 'NAME', about: 'the algorithm suite (default: that of the commitment policy)' },
  'frame-length': { type: 'string', value: 'BYTES', about: 'plaintext in a frame (default: 4096)' },
} as const

const decryptOptions = {
  ...common,
  'max-length': { type: 'string', value: 'BYTES', about: 'of a frame or an unframed body (default: 67108864)' },
  'decrypt-unsigned': { type: 'boolean', about: 'refuse signed messages' },
} as const

export const encrypt: Command = {
  name: 'encrypt',
  about:
    "Encrypts files so that every AWS Encryption SDK can decrypt them. 'merlon encrypt inspect' is 'merlon inspect'.",
  options: encryptOptions,
  async run(words) {
    if (words[0] === 'inspect') return inspect.run(words.slice(1))
    const { given } = parseSubcommand(encryptOptions, normalizedWords(words))
    const { encryptStream } = clientOf(given)
    const source = sourceOf(given)
    const suiteId = given.algorithm === undefined ? undefined : suiteOf(given.algorithm)
    const frameLength = wholeNumber(given['frame-length'], 'frame-length', 1)
    const encryptionContext = Object.fromEntries(pairsOf(listOf(given['encryption-context']), 'encryption-context'))
    return runJob({
      ...jobOf(given, '.encrypted'),
      mode: 'encrypt',
      convert: (plaintextLength) =>
        encryptStream(source, {
          encryptionContext,
          ...(plaintextLength !== undefined && { plaintextLength }),
          ...(suiteId && { suiteId }),
          ...(frameLength && { frameLength }),
        }),
    })
  },
}

export const decrypt: Command = {
  name: 'decrypt',
  about: 'Decrypts files of any AWS Encryption SDK. A file gets its name once all of the message was checked.',
  options: decryptOptions,
  async run(words) {
    const { given } = parseSubcommand(decryptOptions, normalizedWords(words))
    const { decryptStream, decryptUnsignedMessageStream } = clientOf(given)
    const source = sourceOf(given)
    const wanted = listOf(given['encryption-context'])
    const encryptionContext = Object.fromEntries(
      pairsOf(
        wanted.filter((word) => word.includes('=')),
        'encryption-context',
      ),
    )
    const present = wanted.filter((word) => !word.includes('='))
    const maxBodyLength = wholeNumber(given['max-length'], 'max-length', 1)
    const open = given['decrypt-unsigned'] ? decryptUnsignedMessageStream : decryptStream
    return runJob({
      ...jobOf(given, '.decrypted'),
      mode: 'decrypt',
      convert: () => open(source, { encryptionContext, ...(maxBodyLength && { maxBodyLength }) }),
      check: (header) => assertPresent(header, present),
    })
  },
}

type CommonGiven = ParsedOptions<typeof common>

function clientOf(given: CommonGiven) {
  const name =
    given['commitment-policy']?.toUpperCase().replaceAll('-', '_') ?? CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
  if (!Object.hasOwn(CommitmentPolicy, name)) {
    const names = Object.keys(CommitmentPolicy).map((each) => each.toLowerCase().replaceAll('_', '-'))
    throw new UsageError(`--commitment-policy is one of ${names.join(', ')}, not '${given['commitment-policy']}'.`)
  }
  const maxEncryptedDataKeys = wholeNumber(given['max-encrypted-data-keys'], 'max-encrypted-data-keys', 1)
  return buildClient({
    commitmentPolicy: name as CommitmentPolicy,
    ...(maxEncryptedDataKeys && { maxEncryptedDataKeys }),
  })
}

function sourceOf(given: CommonGiven): Keyring | CryptographicMaterialsManager {
  const cached = withCache(keyringOf(groupsOf(given['wrapping-keys']), given), listOf(given.caching))
  const requiredEncryptionContextKeys = listOf(given['required-encryption-context-keys'])
  if (requiredEncryptionContextKeys.length === 0) return cached
  return new RequiredEncryptionContextMaterialsManager({ underlying: cached, requiredEncryptionContextKeys })
}

const CACHING = ['capacity', 'max_age', 'max_messages_encrypted', 'max_bytes_encrypted']

function withCache(keyring: Keyring, words: readonly string[]): Keyring | CryptographicMaterialsManager {
  if (words.length === 0) return keyring
  const settings = new Map(pairsOf(words, 'caching', CACHING))
  const number = (name: string) => wholeNumber(settings.get(name), `caching ${name}`, 1)
  const [capacity, maxAge] = [number('capacity'), number('max_age')]
  if (!capacity || !maxAge) throw new UsageError('--caching needs capacity=N and max_age=SECONDS.')
  const [maxMessagesEncrypted, maxBytesEncrypted] = [number('max_messages_encrypted'), number('max_bytes_encrypted')]
  return new CachingMaterialsManager({
    backingMaterials: keyring,
    cache: new LocalCryptographicMaterialsCache(capacity),
    maxAge: maxAge * 1000,
    ...(maxMessagesEncrypted && { maxMessagesEncrypted }),
    ...(maxBytesEncrypted && { maxBytesEncrypted }),
  })
}

function suiteOf(name: string) {
  const full = `ALG_${name.replace(/^ALG_/, '')}`.replace('AES_', 'AES')
  if (Object.hasOwn(AlgorithmSuiteIdentifier, full)) return AlgorithmSuiteIdentifier[full as SuiteName]
  throw new UsageError(`--algorithm is one of ${Object.keys(AlgorithmSuiteIdentifier).join(', ')}, not '${name}'.`)
}

function jobOf(
  given: CommonGiven,
  suffix: string,
): Pick<Job, 'tasks' | 'buffer' | 'overwrite' | 'before' | 'after' | 'metadata'> {
  if (given.interactive && given['no-overwrite']) throw new UsageError('Use --interactive or --no-overwrite, not both.')
  const metadata = given['suppress-metadata'] ? undefined : given['metadata-output']
  const output = required(given.output, 'output')
  if (metadata === STANDARD && output === STANDARD)
    throw new UsageError('Standard output cannot have both the result and the metadata.')
  return {
    tasks: tasksOf(required(given.input, 'input'), output, given.recursive ?? false, given.suffix ?? suffix),
    buffer: given.buffer ?? false,
    overwrite: given['no-overwrite'] ? 'never' : given.interactive ? 'ask' : 'always',
    ...(given.decode && { before: base64Decoder }),
    ...(given.encode && { after: base64Encoder }),
    ...(metadata !== undefined && { metadata: { file: metadata, overwrite: given['overwrite-metadata'] ?? false } }),
  }
}

function assertPresent({ encryptionContext }: MessageInfo, keys: readonly string[]): void {
  for (const key of keys)
    if (!Object.hasOwn(encryptionContext, key)) throw new Error(`The encryption context has no key '${key}'.`)
}
