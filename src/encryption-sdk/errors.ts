/** The errors of the Encryption SDK: one class for each reason, with a code that does not change. None holds a secret. */

/** Base class: `error instanceof EncryptionSdkError` covers everything the library refuses. */
export abstract class EncryptionSdkError extends Error {
  /** Stable, for programs: `'KeyCommitmentMismatch'`. */
  abstract readonly code: string

  override get name(): string {
    return this.code
  }
}

/** An argument that cannot be used: a key of the wrong size, a keyring without keys. */
export class InvalidConfiguration extends EncryptionSdkError {
  readonly code = 'InvalidConfiguration'
}

/** The algorithm suite of a message or of a request is not one that the commitment policy allows. */
export class CommitmentPolicyViolation extends EncryptionSdkError {
  readonly code = 'CommitmentPolicyViolation'
}

/** The data key is not the one that the message was encrypted with. */
export class KeyCommitmentMismatch extends EncryptionSdkError {
  readonly code = 'KeyCommitmentMismatch'
}

/** The header was changed, or the required encryption context differs. */
export class HeaderAuthFailed extends EncryptionSdkError {
  readonly code = 'HeaderAuthFailed'
}

/** A frame, or the body of an unframed message, was changed. */
export class BodyAuthFailed extends EncryptionSdkError {
  readonly code = 'BodyAuthFailed'
}

/** The signature at the end of the message does not fit the message. */
export class SignatureInvalid extends EncryptionSdkError {
  readonly code = 'SignatureInvalid'
}

/** A signed message where only unsigned ones are accepted. */
export class SignedMessageRefused extends EncryptionSdkError {
  readonly code = 'SignedMessageRefused'
}

/** More encrypted data keys than `maxEncryptedDataKeys`. */
export class TooManyEncryptedDataKeys extends EncryptionSdkError {
  readonly code = 'TooManyEncryptedDataKeys'
}

/** No keyring could decrypt a data key of the message; `errors` has what each attempt answered. */
export class UnableToDecryptDataKey extends EncryptionSdkError {
  readonly code = 'UnableToDecryptDataKey'
  readonly errors: readonly Error[]

  constructor(message: string, errors: readonly Error[] = []) {
    const reasons = errors.map((error) => `${error.name}: ${error.message}`)
    super([message, ...reasons].join('\n  '))
    this.errors = errors
  }
}

/** Bytes that are not a message of the AWS Encryption SDK. */
export class MalformedMessage extends EncryptionSdkError {
  readonly code = 'MalformedMessage'
  /** Where in the message, in bytes from its start. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(`${message} (at byte ${offset})`)
    this.offset = offset
  }
}

/** The message ends before it is complete. */
export class TruncatedMessage extends MalformedMessage {
  override readonly code: 'MalformedMessage' = 'MalformedMessage'
}

/** Bytes after the end of the message. */
export class TrailingData extends EncryptionSdkError {
  readonly code = 'TrailingData'
}

/** An encryption context key that begins with `aws-crypto-`, which is kept for the library. */
export class ReservedEncryptionContextKey extends EncryptionSdkError {
  readonly code = 'ReservedEncryptionContextKey'
}

/** An encryption context that cannot be encoded: too large, or text that is not well-formed Unicode. */
export class InvalidEncryptionContext extends EncryptionSdkError {
  readonly code = 'InvalidEncryptionContext'
}

/** A required encryption context key without a value. */
export class MissingRequiredContext extends EncryptionSdkError {
  readonly code = 'MissingRequiredContext'
}

/** The encryption context passed to decrypt differs from the one of the message. */
export class EncryptionContextMismatch extends EncryptionSdkError {
  readonly code = 'EncryptionContextMismatch'
}

/** A frame, a body or a message that is larger than allowed. */
export class FrameLimitExceeded extends EncryptionSdkError {
  readonly code = 'FrameLimitExceeded'
}
