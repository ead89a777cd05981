/** S3's client over a whole Merlon in memory, and what its tests say again and again. */
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { cloud, type Keys } from '../../../test/cloud.ts'

export async function storage() {
  const it = await cloud()
  const s3 = (keys: Keys = it.root, region = 'us-east-1') => it.client(S3Client, keys, region)
  const owner = s3()
  return {
    ...it,
    s3,
    owner,
    bucket: (Bucket: string) => owner.send(new CreateBucketCommand({ Bucket })),
    put: (Bucket: string, Key: string, Body: string | Uint8Array = Key) =>
      owner.send(new PutObjectCommand({ Bucket, Key, Body })),
    text: async (Bucket: string, Key: string, client = owner) =>
      (await client.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString(),
  }
}
