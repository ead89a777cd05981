/** A KMS for tests: a client, and keys made in one line. */
import { CreateKeyCommand, type CreateKeyCommandInput, KMSClient } from '@aws-sdk/client-kms'
import { type CloudOptions, cloud, type Keys } from '../../../test/cloud.ts'

export const DAY_MS = 86_400_000

export async function desk(options: CloudOptions = {}) {
  const world = await cloud(options)
  /** Made anew after the clock has moved: clients sign with the time they were made for. */
  const at = (keys: Keys = world.root, region?: string) => world.client(KMSClient, keys, region)
  return {
    ...world,
    at,
    kms: at(),
    make: async (input: CreateKeyCommandInput = {}) => (await at().send(new CreateKeyCommand(input))).KeyMetadata!,
  }
}
