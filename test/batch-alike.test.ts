/** A batch call decides each item as the call for that item alone does. Every pair of the project is here. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { describe, expect, it, test } from 'vitest'
import { services } from '../src/server/compose/services.ts'
import { cloud } from './cloud.ts'

/** Batch operations, and the operation that each of their items is decided like. */
const PAIRS = { BatchGetSecretValue: 'GetSecretValue', DeleteObjects: 'DeleteObject' }

test('Every batch operation of the services is compared here', () => {
  const found = services.flatMap(({ operations }) => {
    const names = new Set(operations.map(({ name }) => name))
    return [...names].filter((name) => name.startsWith('Batch') || (name.endsWith('s') && names.has(name.slice(0, -1))))
  })

  expect(found.sort()).toEqual(Object.keys(PAIRS).sort())
})

type Case = [what: string, allow: object, deny: object | undefined]
const policies: Case[] = [
  ['nothing', { Action: 'iam:*' }, undefined],
  ['everything', { Action: ['s3:*', 'secretsmanager:*'] }, undefined],
  ['objects by name', { Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::alike/open*' }, undefined],
  ['the current version alone', { Action: 's3:DeleteObject' }, undefined],
  ['named versions alone', { Action: 's3:DeleteObjectVersion' }, undefined],
  ['deletion and reading', { Action: ['s3:DeleteObject', 's3:GetObject'] }, undefined],
  ['no tagged object', { Action: 's3:*' }, { Condition: { StringEquals: { 's3:ExistingObjectTag/class': 'kept' } } }],
  [
    'tagged objects alone',
    { Action: 's3:*', Condition: { StringEquals: { 's3:ExistingObjectTag/class': 'open' } } },
    undefined,
  ],
  ['no condition', { Action: 's3:*' }, { Condition: { Null: { 's3:if-match': 'false' } } }],
  ['no version', { Action: 's3:*' }, { Condition: { StringEquals: { 's3:versionid': 'null' } } }],
  ['no account', { Action: 's3:*' }, { Condition: { Null: { 's3:ResourceAccount': 'false' } } }],
  ['no tagged secret', { Action: '*' }, { Condition: { StringEquals: { 'aws:ResourceTag/class': 'kept' } } }],
  ['no secret of a name', { Action: '*' }, { Resource: 'arn:aws:secretsmanager:*:*:secret:kept*' }],
  [
    'no secret requested by name',
    { Action: '*' },
    { Condition: { StringLike: { 'secretsmanager:SecretId': 'open*' } } },
  ],
]

const document = (allow: object, deny?: object) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Resource: '*', ...allow },
      // The permission that both forms need on the batch itself is not the item's.
      { Effect: 'Allow', Resource: '*', Action: 'secretsmanager:BatchGetSecretValue' },
      ...(deny ? [{ Effect: 'Deny', NotAction: 'secretsmanager:BatchGetSecretValue', Resource: '*', ...deny }] : []),
    ],
  })

interface Named {
  readonly name?: string
}
const codeOf = (error: unknown) => (error as Named).name ?? String(error)

describe('DeleteObjects decides as DeleteObject', () => {
  const Bucket = 'alike'
  const objects = [
    { Key: 'open' },
    { Key: 'kept' },
    { Key: 'bare' },
    { Key: 'none' },
    { Key: 'open', VersionId: 'null' },
    { Key: 'kept', VersionId: 'null' },
    { Key: 'open', VersionId: 'a'.repeat(32) },
    { Key: 'open', VersionId: 'wrong' },
    { Key: 'open', ETag: '"0123456789abcdef0123456789abcdef"' },
    { Key: 'bare', ETag: '*' },
    { Key: 'k'.repeat(1_025) },
  ]

  it.each(policies)('with %s', async (_what, allow, deny) => {
    const it = await cloud()
    const owner = it.client(S3Client)
    await owner.send(new CreateBucketCommand({ Bucket }))
    const ann = it.client(S3Client, await it.user('ann', document(allow, deny)))
    const fill = () =>
      Promise.all(
        ['open', 'kept', 'bare'].map((Key) =>
          owner.send(
            new PutObjectCommand({ Bucket, Key, Body: Key, ...(Key !== 'bare' && { Tagging: `class=${Key}` }) }),
          ),
        ),
      )
    const left = (Key: string) =>
      owner.send(new HeadObjectCommand({ Bucket, Key })).then(
        () => 'left',
        () => 'gone',
      )

    for (const { Key, VersionId, ETag } of objects) {
      await fill()
      const one = await ann
        .send(new DeleteObjectCommand({ Bucket, Key, VersionId, IfMatch: ETag }))
        .then(() => 'deleted', codeOf)
      const afterOne = await left(Key)
      await fill()
      const { Errors } = await ann.send(
        new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key, VersionId, ETag }] } }),
      )
      const many = Errors?.[0]?.Code ?? 'deleted'
      expect([Key.slice(0, 9), VersionId, ETag, many, await left(Key)]).toEqual([
        Key.slice(0, 9),
        VersionId,
        ETag,
        one,
        afterOne,
      ])
    }
  })
})

describe('BatchGetSecretValue decides as GetSecretValue', () => {
  it.each(policies)('with %s', async (_what, allow, deny) => {
    const it = await cloud()
    const owner = it.client(SecretsManagerClient)
    for (const Name of ['open', 'kept'])
      await owner.send(new CreateSecretCommand({ Name, SecretString: Name, Tags: [{ Key: 'class', Value: Name }] }))
    const ann = it.client(SecretsManagerClient, await it.user('ann', document(allow, deny)))
    for (const SecretId of ['open', 'kept', 'none']) {
      const one = await ann
        .send(new GetSecretValueCommand({ SecretId }))
        .then(({ SecretString }) => SecretString, codeOf)
      const { SecretValues, Errors } = await ann.send(new BatchGetSecretValueCommand({ SecretIdList: [SecretId] }))
      expect([SecretId, SecretValues?.[0]?.SecretString ?? Errors?.[0]?.ErrorCode]).toEqual([SecretId, one])
    }
  })
})
