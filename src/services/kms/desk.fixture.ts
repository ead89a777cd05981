/** A KMS for tests: a client, keys made in one line, the clock and its jobs. */
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { CreateKeyCommand, type CreateKeyCommandInput, KMSClient } from '@aws-sdk/client-kms'
import { type CloudOptions, cloud, type Keys } from '../../../test/cloud.ts'

export const DAY_MS = 86_400_000

export async function desk(options: CloudOptions = {}) {
  const world = await cloud(options)
  const { client, root, permit, clock, jobs } = world
  const at = (keys: Keys = root, region?: string) => client(KMSClient, keys, region)
  return {
    ...world,
    /** Made anew after the clock has moved: clients sign with the time they were made for. */
    at,
    kms: at(),
    make: async (input: CreateKeyCommandInput = {}) => (await at().send(new CreateKeyCommand(input))).KeyMetadata!,
    /** A user of the first account, with an inline policy if one is given. */
    user: async (UserName: string, policy?: string): Promise<Keys> => {
      await client(IAMClient).send(new CreateUserCommand({ UserName }))
      if (policy) await permit(UserName, policy)
      const { AccessKey } = await client(IAMClient).send(new CreateAccessKeyCommand({ UserName }))
      return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
    },
    /** Lets time pass, and what is due happen. */
    pass: async (ms: number) => {
      clock.advance(ms)
      return jobs.runDue()
    },
  }
}
