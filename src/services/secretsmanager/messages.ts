/** What Secrets Manager answers where it has a sentence of its own: recorded from AWS, one table for all operations. */
import { Fault } from '../../wire/fault.ts'
import { invalidParameter, invalidRequest, secretsmanager } from './api.ts'

export const refusals = {
  /** Before the secret is looked for. */
  name: () =>
    new Fault(
      'ValidationError',
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    ),
  /** Before the secret is looked for. SDKs and the CLI fill the member in. */
  token: () => invalidRequest('You must provide a ClientRequestToken value. We recommend a UUID-type value.'),
  markedForDeletion: () =>
    invalidRequest("You can't perform this operation on the secret because it was marked for deletion."),
  replica: () =>
    invalidParameter("Operation not permitted on a replica secret. Call must be made in primary secret's region."),
  replicated: (arn: string, regions: readonly string[]) =>
    invalidParameter(`You can't delete secret ${arn} that still has replica regions [${regions.join(', ')}].`),
  foreignDefaultKey: () =>
    invalidRequest(
      "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.",
    ),
  key: (reason: string) => invalidParameter(`The operation failed because of an invalid KMS key. ${reason}`.trimEnd()),
  tokenTaken: (token: string, arn: string) =>
    secretsmanager.fail(
      'ResourceExistsException',
      `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${arn}.`,
    ),
  versions: (max: number) =>
    secretsmanager.fail(
      'LimitExceededException',
      `The secret has the maximum of ${max} versions. Versions without staging labels are deleted once they are 24 hours old.`,
    ),
  /** A function that does not exist, and one whose policy does not admit this service, are answered alike. */
  invoke: (cause: Fault) =>
    new Fault(
      'AccessDeniedException',
      'Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.',
      { status: 400, cause },
    ),
} as const
