/** S3's client over a whole Merlon in memory, and signed requests by hand. */
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { type CloudOptions, cloud, type Keys } from '../../../test/cloud.ts'
import { presign, type SigningOptions, sign } from '../../wire/sigv4/index.ts'

export interface RawRequest {
  readonly method?: string
  /** As it is sent; with `signedPath`, another one is signed. */
  readonly path: string
  readonly signedPath?: string
  readonly query?: string
  readonly host?: string
  readonly headers?: readonly string[]
  /** Added after signing. */
  readonly unsignedHeaders?: readonly string[]
  readonly body?: string | Buffer
  readonly keys?: Keys
  readonly presigned?: boolean
  readonly unsigned?: boolean
  readonly signing?: Partial<SigningOptions>
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The text of an element of the answer; undefined where there is none. */
  element(name: string): string | undefined
}

export async function storage(options: CloudOptions = {}) {
  const it = await cloud(options)
  const s3 = (keys: Keys = it.root, region = 'us-east-1') => it.client(S3Client, keys, region)
  const owner = s3()

  async function raw(asked: RawRequest): Promise<RawAnswer> {
    const { secretAccessKey, ...keys } = asked.keys ?? it.root
    const request = {
      method: asked.method ?? 'GET',
      path: asked.signedPath ?? asked.path,
      query: asked.query ?? '',
      rawHeaders: ['Host', asked.host ?? 'localhost', ...(asked.headers ?? [])],
      body: Buffer.from(asked.body ?? ''),
      remoteAddress: '127.0.0.1',
      secure: false,
    }
    const signing = { region: 'us-east-1', service: 's3', nowMs: it.clock.now(), ...asked.signing }
    const credential = { ...keys, secret: secretAccessKey }
    const signed = asked.unsigned
      ? request
      : asked.presigned
        ? presign(request, credential, { ...signing, expiresSeconds: 600 })
        : sign(request, credential, signing)
    const sent = {
      ...signed,
      path: asked.path,
      rawHeaders: [...signed.rawHeaders, ...(asked.unsignedHeaders ?? [])],
    }
    const { status, headers, body } = await it.gate.handle(sent)
    const text = Buffer.from(body).toString()
    return {
      status,
      headers,
      text,
      element: (name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1],
    }
  }

  return {
    ...it,
    s3,
    owner,
    raw,
    bucket: (Bucket: string) => owner.send(new CreateBucketCommand({ Bucket })),
    put: (Bucket: string, Key: string, Body: string | Uint8Array = Key) =>
      owner.send(new PutObjectCommand({ Bucket, Key, Body })),
    text: async (Bucket: string, Key: string, client = owner) =>
      (await client.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString(),
  }
}
